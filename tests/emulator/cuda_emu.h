// The names of CUDA C++ that our kernels use, on the CPU. kernels/portable.cuh includes this
// where GPUCURATE_EMULATOR is defined; emu.py compiles the result with g++ as C++20.
//
// Not here: dynamic shared memory, textures, tensor cores, half, inline PTX, cooperative
// groups, weak memory order. Atomics need no lock: one thread runs at a time.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include "block.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __restrict__ __restrict
#define __constant__ static const
#define __shared__ static __attribute__((section("emu_shared")))
#define __align__(n) __attribute__((aligned(n)))

#define threadIdx (emu::current->index)
#define blockIdx (emu::launch.block_index)
#define blockDim (emu::launch.block)
#define gridDim (emu::launch.grid)
#define warpSize 32

using std::max;
using std::min;

struct alignas(8) uint2 { unsigned x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

namespace emu {

template <class T> uint64_t to_bits(T value) {
  static_assert(sizeof(T) <= 8 && std::is_trivially_copyable_v<T>);
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  return bits;
}
template <class T> T from_bits(uint64_t bits) {
  T value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// The value that `lane` brought; one's own where that lane was not there.
template <class T> T shuffle(const char* name, unsigned mask, T value, unsigned lane) {
  const Meeting& m = meet(name, mask, to_bits(value));
  return m.present >> lane & 1 ? from_bits<T>(m.values[lane]) : value;
}

template <class T, class F> T reduce(const char* name, unsigned mask, T value, F combine) {
  const Meeting& m = meet(name, mask, to_bits(value));
  T result = value;
  for (unsigned lane = 0; lane < kWarp; ++lane)
    if (lane != current->lane && m.present >> lane & 1) result = combine(result, from_bits<T>(m.values[lane]));
  return result;
}

// In shuffled order others run in between: what a thread saw before may have changed by now.
template <class T, class F> T exchange(T* at, F change) {
  if (launch.seed > 1) current->fiber.suspend();
  const T before = *at;
  *at = change(before);
  return before;
}

// Lets the type of the first argument decide, as CUDA's overloads do.
template <class T> using same = std::type_identity_t<T>;

}  // namespace emu

// ---- barriers and votes --------------------------------------------------------------
inline void __syncthreads() { emu::meet_block(false); }
inline int __syncthreads_count(int p) { return int(emu::meet_block(p).last_votes); }
inline int __syncthreads_or(int p) { return emu::meet_block(p).last_votes > 0; }
inline int __syncthreads_and(int p) {
  const emu::Barrier& b = emu::meet_block(p);
  return b.last_votes == b.last_arrived;
}
inline void __syncwarp(unsigned mask = ~0u) { emu::meet("__syncwarp", mask, 0); }
inline void __threadfence() {}
inline void __threadfence_block() {}
inline unsigned __ballot_sync(unsigned mask, int p) {
  return emu::reduce("__ballot_sync", mask, unsigned(p != 0) << emu::current->lane, [](unsigned a, unsigned b) { return a | b; });
}
inline int __any_sync(unsigned mask, int p) { return __ballot_sync(mask, p) != 0; }
inline int __all_sync(unsigned mask, int p) { return __ballot_sync(mask, !p) == 0; }
inline unsigned __activemask() = delete;  // means nothing here: name the threads
template <class T> unsigned __match_any_sync(unsigned mask, T v) {
  const emu::Meeting& m = emu::meet("__match_any_sync", mask, emu::to_bits(v));
  unsigned equal = 0;
  for (unsigned lane = 0; lane < emu::kWarp; ++lane)
    if (m.present >> lane & 1 && m.values[lane] == emu::to_bits(v)) equal |= 1u << lane;
  return equal;
}

// ---- shuffles and reductions ---------------------------------------------------------
template <class T> T __shfl_sync(unsigned mask, T v, int from, int width = 32) {
  return emu::shuffle("__shfl_sync", mask, v, (emu::current->lane & ~(width - 1)) | (from & (width - 1)));
}
template <class T> T __shfl_up_sync(unsigned mask, T v, unsigned by, int width = 32) {
  const unsigned lane = emu::current->lane;
  return emu::shuffle("__shfl_up_sync", mask, v, (lane & (width - 1)) >= by ? lane - by : lane);
}
template <class T> T __shfl_down_sync(unsigned mask, T v, unsigned by, int width = 32) {
  const unsigned lane = emu::current->lane;
  return emu::shuffle("__shfl_down_sync", mask, v, (lane & (width - 1)) + by < unsigned(width) ? lane + by : lane);
}
template <class T> T __shfl_xor_sync(unsigned mask, T v, int with, int width = 32) {
  const unsigned lane = emu::current->lane, other = lane ^ with;
  return emu::shuffle("__shfl_xor_sync", mask, v, (other & ~(width - 1)) <= (lane & ~(width - 1)) ? other : lane);
}
template <class T> T __reduce_add_sync(unsigned m, T v) { return emu::reduce("__reduce_add_sync", m, v, [](T a, T b) { return T(a + b); }); }
template <class T> T __reduce_min_sync(unsigned m, T v) { return emu::reduce("__reduce_min_sync", m, v, [](T a, T b) { return min(a, b); }); }
template <class T> T __reduce_max_sync(unsigned m, T v) { return emu::reduce("__reduce_max_sync", m, v, [](T a, T b) { return max(a, b); }); }

// ---- atomics -------------------------------------------------------------------------
template <class T> T atomicAdd(T* p, emu::same<T> v) { return emu::exchange(p, [=](T old) { return T(old + v); }); }
template <class T> T atomicMin(T* p, emu::same<T> v) { return emu::exchange(p, [=](T old) { return min(old, v); }); }
template <class T> T atomicMax(T* p, emu::same<T> v) { return emu::exchange(p, [=](T old) { return max(old, v); }); }
template <class T> T atomicOr(T* p, emu::same<T> v) { return emu::exchange(p, [=](T old) { return T(old | v); }); }
template <class T> T atomicExch(T* p, emu::same<T> v) { return emu::exchange(p, [=](T) { return v; }); }
template <class T> T atomicCAS(T* p, emu::same<T> expected, emu::same<T> v) {
  return emu::exchange(p, [=](T old) { return old == expected ? v : old; });
}

// ---- bits ----------------------------------------------------------------------------
template <class T> T __ldg(const T* p) { return *p; }
template <class T> T __ldcg(const T* p) { return *p; }
inline int __popc(unsigned v) { return __builtin_popcount(v); }
inline int __popcll(unsigned long long v) { return __builtin_popcountll(v); }
inline int __ffs(int v) { return __builtin_ffs(v); }
inline int __clz(int v) { return v ? __builtin_clz(unsigned(v)) : 32; }
inline unsigned __umulhi(unsigned a, unsigned b) { return unsigned(uint64_t(a) * b >> 32); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return static_cast<unsigned long long>(static_cast<unsigned __int128>(a) * b >> 64);
}
inline unsigned __funnelshift_l(unsigned low, unsigned high, unsigned by) {
  return unsigned(((uint64_t(high) << 32 | low) << (by & 31)) >> 32);
}
inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned by) {
  return unsigned((uint64_t(high) << 32 | low) >> (by & 31));
}
