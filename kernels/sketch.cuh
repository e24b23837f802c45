// What the sketches of rule affine32 share: minima and maxima of products, and band keys.
// docs/algorithms.md has the definitions.
//
// For multiplier a_j and shingle hashes x_i, signature[2j] = min_i a_j*x_i and
// signature[2j+1] = ~max_i a_j*x_i (mod 2^32). A lane owns LANE_MULTIPLIERS of the multipliers,
// their minima and maxima in registers. Compile with LANE_MULTIPLIERS = ceil(K / 64), at most
// 8; above, chunks are hashed again.
#pragma once
#include "mixing.cuh"
#include "warp.cuh"

#ifndef LANE_MULTIPLIERS
#define LANE_MULTIPLIERS 2
#endif

constexpr uint64_t kBandStep = 0xD6E8FEB86659FD93ull;

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

  // Takes in `count` hashes of the warp's shared memory, aligned to 16 bytes. Up to three entries
  // behind them are overwritten: a hash taken in twice changes nothing.
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
    __syncwarp();
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

__device__ __forceinline__ uint64_t band_key(const uint32_t* signature, int band, int rows) {
  uint64_t key = fmix64(uint64_t(band) + 1);
  for (int k = band * rows; k < (band + 1) * rows; ++k) {
    key = (key ^ __ldcg(signature + k)) * kBandStep;  // around L1: other SMs wrote it
    key ^= key >> 32;
  }
  return fmix64(key);
}

// The keys of one document, a lane a band; 0 for a document without a shingle.
__device__ __forceinline__ void write_band_keys(const uint32_t* signature, bool has_keys, int bands, int rows,
                                                uint64_t* keys) {
  for (int band = lane_index(); band < bands; band += 32) keys[band] = has_keys ? band_key(signature, band, rows) : 0;
}
