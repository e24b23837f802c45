// A persistent grid of blocks of 256 threads, in which each warp, or each thread, takes one item
// of a list after the other.
#pragma once
#include "portable.cuh"

constexpr int kWarpsPerBlock = 8;
constexpr unsigned kAllLanes = 0xffffffffu;

__device__ __forceinline__ int lane_index() { return threadIdx.x & 31; }
__device__ __forceinline__ unsigned lanes_before() { return (1u << lane_index()) - 1; }
__device__ __forceinline__ int64_t warp_index() {
  return int64_t(blockIdx.x) * kWarpsPerBlock + (threadIdx.x >> 5);
}
__device__ __forceinline__ int64_t warp_count() { return int64_t(gridDim.x) * kWarpsPerBlock; }

__device__ __forceinline__ int64_t thread_index() { return int64_t(blockIdx.x) * blockDim.x + threadIdx.x; }
__device__ __forceinline__ int64_t thread_count() { return int64_t(gridDim.x) * blockDim.x; }

// The number of the highest lane that is named; some lane must be.
__device__ __forceinline__ int last_lane(unsigned lanes) { return 31 - __clz(int(lanes)); }

__device__ __forceinline__ void add_atomically(uint64_t* sum, uint64_t value) {
  atomicAdd(reinterpret_cast<unsigned long long*>(sum), static_cast<unsigned long long>(value));
}

__device__ __forceinline__ void min_atomically(uint32_t* least, uint32_t value) { atomicMin(least, value); }
__device__ __forceinline__ void min_atomically(uint64_t* least, uint64_t value) {
  atomicMin(reinterpret_cast<unsigned long long*>(least), static_cast<unsigned long long>(value));
}
__device__ __forceinline__ uint32_t max_atomically(uint32_t* best, uint32_t value) { return atomicMax(best, value); }
__device__ __forceinline__ uint64_t max_atomically(uint64_t* best, uint64_t value) {
  return atomicMax(reinterpret_cast<unsigned long long*>(best), static_cast<unsigned long long>(value));
}

// The sum over all lanes, in every lane.
template <class T>
__device__ __forceinline__ T warp_sum(T value) {
  for (int with = 16; with; with >>= 1) value += __shfl_xor_sync(kAllLanes, value, with);
  return value;
}

// The sum over the lanes before this one; over all lanes: total.
template <class T>
__device__ __forceinline__ T sum_before(T value, T& total) {
  T sum = value;
  for (int by = 1; by < 32; by *= 2) {
    const T before = __shfl_up_sync(kAllLanes, sum, by);
    if (lane_index() >= by) sum += before;
  }
  total = __shfl_sync(kAllLanes, sum, 31);
  return sum - value;
}

// Counts what this warp has finished of a document's `parts`; whether it was the last of them.
// What other warps wrote before they counted can be read around L1 (__ldcg) afterwards.
__device__ __forceinline__ bool finishes_last(uint32_t* finished, int64_t parts) {
  uint32_t before = 0;
  __threadfence();
  __syncwarp();
  if (lane_index() == 0) before = atomicAdd(finished, 1u);
  before = __shfl_sync(kAllLanes, before, 0);
  __threadfence();
  return int64_t(before) + 1 == parts;
}
