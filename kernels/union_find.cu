// Connected components of documents; docs/algorithms.md has the definition,
// gpucurate/ops/union_find/contract.py the interface.
//
// Contract
//   parents, uint32[documents], names for each document one of its component that is not larger, roots
//   name themselves. Of two roots the larger is hooked under the smaller: so the root of a component
//   is its smallest document, whatever the order. `merges` grows by the joins that united two
//   components: each removes one root, so that their number does not depend on the order either.
//
// Distribution of work
//   One thread per pair of neighbours, persistent grid of blocks of 256 threads, without locks
//   (J. Jaiganesh, M. Burtscher, "A high-performance connected components implementation for GPUs",
//   HPDC 2018): a root is hooked by compare-and-swap, and who comes late goes on from the new
//   parent. Paths are shortened on the way; those stores race, but each stores an ancestor, and
//   never at a root. `flatten` follows paths without such stores: a late one would undo a final one.
//
// Cost model
//   Random reads of parents bind: two for a pair when paths are short, 32 bytes of traffic each.
//   Reading the keys costs 8 or 16 bytes a pair, in order. One atomic a merge, one a warp for the count.

#include "union_find.cuh"

// keys: uint64[count], ids: uint32[count]; merges: uint64[1].
extern "C" __global__ void __launch_bounds__(256) hook_runs(const uint64_t* __restrict__ keys,
                                                            const uint32_t* __restrict__ ids, int64_t count,
                                                            uint32_t* parents, uint64_t* merges) {
  int own = 0;
  for (int64_t i = thread_index() + 1; i < count; i += thread_count()) {
    if (keys[i] == keys[i - 1]) own += join(parents, ids[i - 1], ids[i]);
  }
  count_merges(own, merges);
}

extern "C" __global__ void __launch_bounds__(256) hook_runs128(const uint64_t* __restrict__ high,
                                                               const uint64_t* __restrict__ low,
                                                               const uint32_t* __restrict__ ids, int64_t count,
                                                               uint32_t* parents, uint64_t* merges) {
  int own = 0;
  for (int64_t i = thread_index() + 1; i < count; i += thread_count()) {
    if (high[i] == high[i - 1] && low[i] == low[i - 1]) own += join(parents, ids[i - 1], ids[i]);
  }
  count_merges(own, merges);
}

extern "C" __global__ void __launch_bounds__(256) hook_pairs(const uint32_t* __restrict__ left,
                                                             const uint32_t* __restrict__ right, int64_t count,
                                                             uint32_t* parents, uint64_t* merges) {
  int own = 0;
  for (int64_t i = thread_index(); i < count; i += thread_count()) own += join(parents, left[i], right[i]);
  count_merges(own, merges);
}

extern "C" __global__ void __launch_bounds__(256) flatten(int64_t count, uint32_t* parents) {
  volatile uint32_t* entries = parents;
  for (int64_t i = thread_index(); i < count; i += thread_count()) {
    uint32_t root = entries[i];
    for (uint32_t parent; (parent = entries[root]) != root;) root = parent;
    entries[i] = root;
  }
}
