// MinHash by min and max of products, fused with band keys; docs/algorithms.md has the
// definitions, gpucurate/ops/minhash/contract.py the interface, cpu.py the same on the CPU.
//
// Contract
//   Text is valid UTF-8, document d is data[offsets[d] .. offsets[d+1]). Shingles are of
//   `ngram` code points; a document shorter than that is one shingle. For multiplier a_j and
//   shingle hashes x_i, signature[2j] = min_i a_j*x_i and signature[2j+1] = ~max_i a_j*x_i
//   (mod 2^32). The key of a band is the 64-bit mix of its number and its rows of signature.
//   The caller fills signatures with 2^32-1 and finished with 0. A document without text keeps
//   that signature and gets keys of 0. keys may be null: signatures only.
//
// Distribution of work
//   One warp per chunk of `chunk_bytes` (2048) of one document, at least one chunk each,
//   persistent grid of blocks of 256 threads: lengths of documents are skewed, and minima of
//   chunks merge exactly. A chunk owns the shingles that begin in it and reads on for their ends. Each lane hashes the
//   shingle that begins at its byte; what begins none is squeezed out through 64 words of
//   shared memory. Then each lane owns LANE_MULTIPLIERS multipliers, their minima and maxima
//   in registers, and all 32 read the same 32 hashes. A chunk ends with one atomicMin per
//   value; the warp that ends a document's last chunk makes its keys.
//   Compile with LANE_MULTIPLIERS = ceil(K / 64), at most 8; above, chunks are hashed again.
//
// Cost model, K permutations, ASCII
//   For 32 shingles: 32*K/64 products, as many min and max (three operands each, two new ones
//   at a time), 8 shared loads of 128 bits, ngram+~12 instructions for hashing. Arithmetic
//   binds: 1 byte of text is read once from memory and ngram times from L1; a chunk adds
//   4*K bytes of atomics in L2, a document 4*K + 8*bands.

#include "portable.cuh"

#ifndef LANE_MULTIPLIERS
#define LANE_MULTIPLIERS 2
#endif

namespace {

constexpr int kWarpsPerBlock = 8;
constexpr unsigned kAllLanes = 0xffffffffu;
constexpr uint32_t kShingleBase = 0x9E3779B1u;
constexpr uint64_t kBandStep = 0xD6E8FEB86659FD93ull;

__device__ __forceinline__ uint32_t fmix32(uint32_t x) {
  x = (x ^ (x >> 16)) * 0x85EBCA6Bu;
  x = (x ^ (x >> 13)) * 0xC2B2AE35u;
  return x ^ (x >> 16);
}

__device__ __forceinline__ uint64_t fmix64(uint64_t x) {
  x = (x ^ (x >> 33)) * 0xFF51AFD7ED558CCDull;
  x = (x ^ (x >> 33)) * 0xC4CEB9FE1A85EC53ull;
  return x ^ (x >> 33);
}

__device__ __forceinline__ bool begins_character(uint8_t byte) { return (byte & 0xC0) != 0x80; }

// The code point at data[at], moving `at` behind it; reads nothing from `stop` on.
__device__ __forceinline__ uint32_t next_code_point(const uint8_t* __restrict__ data, int64_t& at, int64_t stop) {
  const uint32_t lead = data[at++];
  if (lead < 0x80) return lead;
  const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
  uint32_t point = lead & (0x3Fu >> more);
  for (int k = 0; k < more; ++k, ++at) point = point << 6 | (at < stop ? data[at] & 0x3Fu : 0u);
  return point;
}

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

// What one lane keeps of the permutations: LANE_MULTIPLIERS of them.
struct Extremes {
  uint32_t a[LANE_MULTIPLIERS], low[LANE_MULTIPLIERS], high[LANE_MULTIPLIERS];

  __device__ __forceinline__ void load(const uint32_t* __restrict__ multipliers, int first, int count) {
#pragma unroll
    for (int j = 0; j < LANE_MULTIPLIERS; ++j) {
      const int index = first + 32 * j;
      a[j] = index < count ? multipliers[index] : 1u;
      low[j] = 0xffffffffu;
      high[j] = 0u;
    }
  }

  // Takes in `count` hashes, a multiple of 4, from shared memory.
  __device__ __forceinline__ void absorb(const uint32_t* hashes, int count) {
    for (int i = 0; i < count; i += 4) {
      const uint4 x = *reinterpret_cast<const uint4*>(hashes + i);
#pragma unroll
      for (int j = 0; j < LANE_MULTIPLIERS; ++j) {
        const uint32_t p = a[j] * x.x, q = a[j] * x.y, r = a[j] * x.z, s = a[j] * x.w;
        low[j] = min(min(min(low[j], p), min(q, r)), s);
        high[j] = max(max(max(high[j], p), max(q, r)), s);
      }
    }
  }

  __device__ __forceinline__ void flush(uint32_t* signature, int first, int permutations) const {
#pragma unroll
    for (int j = 0; j < LANE_MULTIPLIERS; ++j) {
      const int k = 2 * (first + 32 * j);
      if (k < permutations) atomicMin(signature + k, low[j]);
      if (k + 1 < permutations) atomicMin(signature + k + 1, ~high[j]);
    }
  }
};

// Takes in the shingles that begin in [at, end) of the document [start, stop). `queue` is the
// warp's 64 words: hashes wait there until there are 32.
__device__ __forceinline__ void absorb_chunk(const uint8_t* __restrict__ data, int64_t at, int64_t end, int64_t start,
                                             int64_t stop, int ngram, uint32_t* queue, Extremes& extremes) {
  const int lane = threadIdx.x & 31;
  int waiting = 0;
  for (; at < end; at += 32) {
    uint32_t hash = 0;
    const bool found = at + lane < end && shingle_at(data, at + lane, start, stop, ngram, hash);
    const unsigned finders = __ballot_sync(kAllLanes, found);
    if (found) queue[waiting + __popc(finders & ((1u << lane) - 1))] = hash;
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
  if (waiting == 0) return;
  const int padded = (waiting + 3) & ~3;  // a hash taken in twice changes nothing
  if (lane >= waiting && lane < padded) queue[lane] = queue[0];
  __syncwarp();
  extremes.absorb(queue, padded);
  __syncwarp();
}

__device__ __forceinline__ uint64_t band_key(const uint32_t* signature, int band, int rows) {
  uint64_t key = fmix64(uint64_t(band) + 1);
  for (int k = band * rows; k < (band + 1) * rows; ++k) {
    key = (key ^ __ldcg(signature + k)) * kBandStep;  // around L1: other SMs wrote it
    key ^= key >> 32;
  }
  return fmix64(key);
}

// Whether this warp has ended the last of the document's chunks.
__device__ __forceinline__ bool ends_document(uint32_t* finished, int64_t chunks) {
  uint32_t before = 0;
  __threadfence();
  __syncwarp();
  if ((threadIdx.x & 31) == 0) before = atomicAdd(finished, 1u);
  before = __shfl_sync(kAllLanes, before, 0);
  __threadfence();
  return before + 1 == chunks;
}

}  // namespace

// first_chunk: int64[documents + 1], chunks before each document; chunk_document: int32[chunks].
// multipliers: uint32[ceil(permutations / 2)]; signatures: [documents, permutations];
// finished: [documents]; keys: [documents, bands].
extern "C" __global__ void __launch_bounds__(256, 4) minhash_band_keys(
    const uint8_t* __restrict__ data, const int64_t* __restrict__ offsets, const int64_t* __restrict__ first_chunk,
    const int32_t* __restrict__ chunk_document, int64_t chunks, int chunk_bytes, int ngram,
    const uint32_t* __restrict__ multipliers, int permutations, int bands, int rows, uint32_t* signatures,
    uint32_t* finished, uint64_t* keys) {
  __shared__ __align__(16) uint32_t queues[kWarpsPerBlock][64];
  const int warp = threadIdx.x >> 5, lane = threadIdx.x & 31;
  const int64_t warps = int64_t(gridDim.x) * kWarpsPerBlock;
  const int multiplier_count = (permutations + 1) / 2;
  for (int64_t chunk = int64_t(blockIdx.x) * kWarpsPerBlock + warp; chunk < chunks; chunk += warps) {
    const int32_t document = chunk_document[chunk];
    const int64_t start = offsets[document], stop = offsets[document + 1];
    const int64_t at = start + (chunk - first_chunk[document]) * chunk_bytes;
    const int64_t end = min(at + chunk_bytes, stop);
    uint32_t* signature = signatures + int64_t(document) * permutations;
    for (int first = lane; first - lane < multiplier_count; first += 32 * LANE_MULTIPLIERS) {
      Extremes extremes;
      extremes.load(multipliers, first, multiplier_count);
      absorb_chunk(data, at, end, start, stop, ngram, queues[warp], extremes);
      extremes.flush(signature, first, permutations);
    }
    if (keys == nullptr) continue;
    if (!ends_document(finished + document, first_chunk[document + 1] - first_chunk[document])) continue;
    for (int band = lane; band < bands; band += 32) {
      keys[int64_t(document) * bands + band] = start < stop ? band_key(signature, band, rows) : 0;
    }
  }
}
