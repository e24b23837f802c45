// Small kernels, right and wrong, that the emulator's own tests run.
#include "cuda_emu.h"

extern "C" __global__ void count_visits(int* out) {
  atomicAdd(out + (blockIdx.y * gridDim.x + blockIdx.x) * blockDim.x + threadIdx.x, 1);
}

extern "C" __global__ void shuffles(int* out) {
  const int t = threadIdx.x;
  int* o = out + 4 * t;
  o[0] = __shfl_sync(~0u, t, 5);
  o[1] = __shfl_up_sync(~0u, t, 3);
  o[2] = __shfl_down_sync(~0u, t, 3, 8);
  o[3] = __shfl_xor_sync(~0u, t, 9);
}

extern "C" __global__ void votes_of_even_lanes(unsigned* out) {
  const unsigned t = threadIdx.x, even = 0x55555555u;
  unsigned* o = out + 5 * t;
  if (t % 2) return;
  o[0] = __ballot_sync(even, t < 8);
  o[1] = __any_sync(even, t == 30);
  o[2] = __all_sync(even, t < 30);
  o[3] = __reduce_add_sync(even, t);
  o[4] = __match_any_sync(even, t / 4);
}

extern "C" __global__ void reverse_block(int* out) {
  __shared__ int s[128];
  s[threadIdx.x] = threadIdx.x;
  const int odd = __syncthreads_count(threadIdx.x & 1);
  out[blockIdx.x * 128 + threadIdx.x] = s[127 - threadIdx.x] + 1000 * odd;
}

extern "C" __global__ void reverse_without_barrier(int* out) {
  __shared__ int s[128];
  s[threadIdx.x] = threadIdx.x;
  out[threadIdx.x] = s[63 - threadIdx.x];
}

extern "C" __global__ void update_that_gets_lost(int* out, int* visits) {
  const int before = *out;
  atomicAdd(visits, 1);
  *out = before + 1;
}

extern "C" __global__ void read_beside(const int* in, int* out) { out[0] = in[1]; }
extern "C" __global__ void write_behind(int* out) { out[64] = 1; }
extern "C" __global__ void write_before(int* out) { out[-1] = 1; }
extern "C" __global__ void copy_scalar(int* out, int n) { out[0] = n; }

extern "C" __global__ void divergent_barriers(int* out) {
  if (threadIdx.x < 3) __syncthreads();
  else __syncwarp();
  out[0] = 1;
}

extern "C" __global__ void foreign_mask(int* out) {
  if (threadIdx.x == 3) __syncwarp(1u);
  out[0] = 1;
}

extern "C" __global__ void different_functions(int* out) {
  if (threadIdx.x) __syncwarp();
  else __ballot_sync(~0u, 1);
  out[0] = 1;
}

extern "C" __global__ void shift_too_far(int* out) { out[0] = 1 << (out[0] + 40); }
