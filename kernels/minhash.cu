// MinHash by min and max of products (rule affine32), fused with band keys; docs/algorithms.md
// has the definitions, gpucurate/ops/minhash/contract.py the interface.
//
// Contract
//   Text is valid UTF-8 in chunks (text.cuh), shingles are of characters or words (shingles.cuh). For
//   multiplier a_j and shingle hashes x_i, signature[2j] = min_i a_j*x_i and signature[2j+1] =
//   ~max_i a_j*x_i (mod 2^32). The caller fills signatures with 2^32-1, found and finished with 0.
//   found becomes 1 for a document with a shingle; one without keeps its signature and gets
//   keys of 0. keys may be null: signatures only.
//
// Distribution of work
//   One warp per chunk, persistent grid of blocks of 256 threads: minima of chunks merge exactly.
//   A lane owns LANE_MULTIPLIERS of the multipliers, their minima and maxima in registers, and all
//   32 read the same 32 hashes from shared memory. A chunk ends with one atomicMin per value; the
//   warp that ends a document's last chunk makes its keys.
//   Compile with LANE_MULTIPLIERS = ceil(K / 64), at most 8; above, chunks are hashed again.
//
// Cost model, K permutations, ASCII
//   For 32 shingles: 32*K/64 products, as many min and max (three operands each, two new ones
//   at a time), 8 shared loads of 128 bits. Arithmetic binds; a chunk adds 4*K bytes of atomics
//   in L2, a document 4*K + 8*bands. Hashing: of characters ngram+~12 instructions for 32 shingles,
//   1 byte of text read once from memory and ngram times from L1; of words, for 32 bytes, a code point
//   and two table look-ups a lane from L1, 10 shuffles and 6 votes, about 90 instructions, and
//   for 32 shingles (about 200 bytes) ngram shared loads and products.

#include "band_keys.cuh"
#include "shingles.cuh"

#ifndef LANE_MULTIPLIERS
#define LANE_MULTIPLIERS 2
#endif

namespace {

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

  // A sink of shingles. A hash taken in twice changes nothing: so they come by fours.
  __device__ __forceinline__ void absorb(uint32_t* hashes, int count) {
    const int lane = lane_index(), padded = (count + 3) & ~3;
    if (lane >= count && lane < padded) hashes[lane] = hashes[0];
    __syncwarp();
    for (int i = 0; i < padded; i += 4) {
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

}  // namespace

// stage1, stage2: UnicodeTables.class_stage1, class_stage2, for words; multipliers:
// uint32[ceil(permutations / 2)]; signatures: uint32[documents, permutations]; found, finished:
// uint32[documents]; keys: uint64[documents, bands].
extern "C" __global__ void __launch_bounds__(256, OF_WORDS ? 3 : 4) minhash(
    const uint8_t* __restrict__ data, const int64_t* __restrict__ offsets, const int64_t* __restrict__ first_chunk,
    const int32_t* __restrict__ chunk_document, int64_t chunks, int chunk_bytes, const uint16_t* __restrict__ stage1,
    const uint8_t* __restrict__ stage2, int ngram, const uint32_t* __restrict__ multipliers, int permutations,
    int bands, int rows, uint32_t* signatures, uint32_t* found, uint32_t* finished, uint64_t* keys) {
  __shared__ ShingleScratch<uint32_t> scratch[kWarpsPerBlock];
  const ChunkList list{offsets, offsets + 1, first_chunk, chunk_document, chunk_bytes};
  const UnicodeTable<uint8_t> classes{stage1, stage2};
  const int multiplier_count = (permutations + 1) / 2;
  for (int64_t number = warp_index(); number < chunks; number += warp_count()) {
    const Chunk chunk = list[number];
    uint32_t* signature = signatures + int64_t(chunk.document) * permutations;
    for (int first = lane_index(); first - lane_index() < multiplier_count; first += 32 * LANE_MULTIPLIERS) {
      Extremes extremes;
      extremes.load(multipliers, first, multiplier_count);
      if (!absorb_shingles<Hash32>(data, chunk, ngram, classes, scratch[threadIdx.x >> 5], extremes)) break;
      extremes.flush(signature, first, permutations);
      if (first == 0) atomicOr(found + chunk.document, 1u);
    }
    if (keys == nullptr || !finishes_last(finished + chunk.document, list.chunks_of(chunk.document))) continue;
    const bool has_keys = __ldcg(found + chunk.document) != 0;
    write_band_keys(signature, has_keys, bands, rows, keys + int64_t(chunk.document) * bands);
  }
}
