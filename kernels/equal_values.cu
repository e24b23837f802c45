// In how many values the signatures of two documents agree; gpucurate/ops/minhash/contract.py
// has the interface.
//
// Contract
//   signatures is [documents, permutations], of 32 bits, or of 64 with -DVALUE_BITS=64. counts[i] is the
//   number of k with signatures[left[i], k] == signatures[right[i], k].
//
// Distribution of work
//   One warp per pair, persistent grid of blocks of 256 threads, a lane every 32nd value.
//
// Cost model
//   Two loads, a comparison and an addition for 32 values: memory binds, 8 bytes a value and pair.

#include "warp.cuh"

#if defined(VALUE_BITS) && VALUE_BITS == 64
using Value = uint64_t;
#else
using Value = uint32_t;
#endif

extern "C" __global__ void __launch_bounds__(256) equal_values(const Value* __restrict__ signatures, int permutations,
                                                               const uint32_t* __restrict__ left,
                                                               const uint32_t* __restrict__ right, int64_t pairs,
                                                               uint32_t* counts) {
  for (int64_t pair = warp_index(); pair < pairs; pair += warp_count()) {
    const Value* one = signatures + int64_t(left[pair]) * permutations;
    const Value* other = signatures + int64_t(right[pair]) * permutations;
    uint32_t equal = 0;
    for (int k = lane_index(); k < permutations; k += 32) equal += one[k] == other[k];
    equal = warp_sum(equal);
    if (lane_index() == 0) counts[pair] = equal;
  }
}
