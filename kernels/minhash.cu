// MinHash over shingles of characters by min and max of products, fused with band keys;
// docs/algorithms.md has the definitions, gpucurate/ops/minhash/contract.py the interface.
//
// Contract
//   Text is valid UTF-8 in chunks (text.cuh). Shingles are of `ngram` code points; a document
//   shorter than that is one shingle. The caller fills signatures with 2^32-1 and finished
//   with 0. A document without text keeps that signature and gets keys of 0. keys may be null:
//   signatures only.
//
// Distribution of work
//   One warp per chunk, persistent grid of blocks of 256 threads: minima of chunks merge exactly.
//   A chunk owns the shingles that begin in it and reads on for their ends. Each lane hashes
//   the shingle that begins at its byte; what begins none is squeezed out through 64 words of
//   shared memory. Then each lane owns LANE_MULTIPLIERS multipliers (sketch.cuh), and all 32 read
//   the same 32 hashes. A chunk ends with one atomicMin per value; the warp that ends a
//   document's last chunk makes its keys.
//
// Cost model, K permutations, ASCII
//   For 32 shingles: 32*K/64 products, as many min and max (three operands each, two new ones
//   at a time), 8 shared loads of 128 bits, ngram+~12 instructions for hashing. Arithmetic
//   binds: 1 byte of text is read once from memory and ngram times from L1; a chunk adds
//   4*K bytes of atomics in L2, a document 4*K + 8*bands.

#include "sketch.cuh"
#include "text.cuh"

namespace {

// Hash of the shingle that begins at `at` in the document [start, stop); false if none does.
__device__ __forceinline__ bool shingle_at(const uint8_t* __restrict__ data, int64_t at, int64_t start, int64_t stop,
                                           int ngram, uint32_t& hash) {
  if (!begins_character(data[at])) return false;
  const bool is_first = at == start;
  uint32_t sum = 0;
  for (int k = 0; k < ngram; ++k) {
    if (at >= stop) {
      if (!is_first) return false;  // a shorter end; at the very front it is the whole document
      break;
    }
    sum = sum * kShingleBase + next_code_point(data, at, stop);
  }
  hash = fmix32(sum) | 1u;
  return true;
}

// Takes in the shingles that begin in the chunk. `queue` is the warp's 64 words: hashes wait there
// until there are 32.
__device__ __forceinline__ void absorb_chunk(const uint8_t* __restrict__ data, const Chunk& chunk, int ngram,
                                             uint32_t* queue, Extremes& extremes) {
  const int lane = lane_index();
  int waiting = 0;
  for (int64_t at = chunk.at; at < chunk.end; at += 32) {
    uint32_t hash = 0;
    const bool found =
        at + lane < chunk.end && shingle_at(data, at + lane, chunk.start, chunk.stop, ngram, hash);
    const unsigned finders = __ballot_sync(kAllLanes, found);
    if (found) queue[waiting + __popc(finders & lanes_before())] = hash;
    waiting += __popc(finders);
    __syncwarp();
    if (waiting < 32) continue;
    extremes.absorb(queue, 32);
    waiting -= 32;
    const uint32_t rest = queue[32 + lane];
    __syncwarp();
    queue[lane] = rest;
    __syncwarp();
  }
  if (waiting) extremes.absorb(queue, waiting);
}

}  // namespace

// multipliers: uint32[ceil(permutations / 2)]; signatures: [documents, permutations];
// finished: [documents]; keys: [documents, bands].
extern "C" __global__ void __launch_bounds__(256, 4) minhash(
    const uint8_t* __restrict__ data, const int64_t* __restrict__ offsets, const int64_t* __restrict__ first_chunk,
    const int32_t* __restrict__ chunk_document, int64_t chunks, int chunk_bytes, int ngram,
    const uint32_t* __restrict__ multipliers, int permutations, int bands, int rows, uint32_t* signatures,
    uint32_t* finished, uint64_t* keys) {
  __shared__ __align__(16) uint32_t queues[kWarpsPerBlock][64];
  const ChunkList list{offsets, first_chunk, chunk_document, chunk_bytes};
  uint32_t* queue = queues[threadIdx.x >> 5];
  const int multiplier_count = (permutations + 1) / 2;
  for (int64_t number = warp_index(); number < chunks; number += warp_count()) {
    const Chunk chunk = list[number];
    uint32_t* signature = signatures + int64_t(chunk.document) * permutations;
    for (int first = lane_index(); first - lane_index() < multiplier_count; first += 32 * LANE_MULTIPLIERS) {
      Extremes extremes;
      extremes.load(multipliers, first, multiplier_count);
      absorb_chunk(data, chunk, ngram, queue, extremes);
      extremes.flush(signature, first, permutations);
    }
    if (keys == nullptr || !finishes_last(finished + chunk.document, list.chunks_of(chunk.document))) continue;
    write_band_keys(signature, chunk.start < chunk.stop, bands, rows, keys + int64_t(chunk.document) * bands);
  }
}
