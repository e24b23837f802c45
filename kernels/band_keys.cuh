// Band keys of a signature; docs/algorithms.md has the definition.
#pragma once
#include "mixing.cuh"
#include "warp.cuh"

constexpr uint64_t kBandStep = 0xD6E8FEB86659FD93ull;

template <class Value>
__device__ __forceinline__ uint64_t band_key(const Value* signature, int band, int rows) {
  uint64_t key = fmix64(uint64_t(band) + 1);
  for (int k = band * rows; k < (band + 1) * rows; ++k) {
    key = (key ^ __ldcg(signature + k)) * kBandStep;  // around L1: other SMs wrote it
    key ^= key >> 32;
  }
  return fmix64(key);
}

// The keys of one document, a lane a band; 0 for a document without a shingle.
template <class Value>
__device__ __forceinline__ void write_band_keys(const Value* signature, bool has_keys, int bands, int rows,
                                                uint64_t* keys) {
  for (int band = lane_index(); band < bands; band += 32) keys[band] = has_keys ? band_key(signature, band, rows) : 0;
}
