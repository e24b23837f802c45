// Sizes of clusters and their survivors; gpucurate/ops/survivors/contract.py has the interface.
//
// Contract
//   labels, uint32[documents], names each document's cluster by one of its documents. The survivor is
//   the member with the largest rank, of equals the smallest id; a rank of 0 takes no part.
//   Documents come in pieces, in ascending order, so that a survivor of an earlier piece wins a tie.
//
// Distribution of work
//   One thread per document, persistent grid of blocks of 256 threads. Threads of a warp with one label
//   count together: the largest cluster costs one atomic for 32 documents. Survivors take
//   two passes: the largest rank by atomicMax, where whoever raises it also forgets the survivor; then
//   of those who have that rank the smallest id by atomicMin.
//
// Cost model
//   8 bytes a document in order, and one random atomic in L2 for each label in a warp (counting) or
//   for each document that is not worse than its cluster's best so far (survivors).
//
// Ranks are of 32 bits, or of 64 with -DRANK_BITS=64.

#include "warp.cuh"

#if defined(RANK_BITS) && RANK_BITS == 64
using Rank = uint64_t;
#else
using Rank = uint32_t;
#endif

// counts: uint32[documents], filled with 0.
extern "C" __global__ void __launch_bounds__(256) count_members(const uint32_t* __restrict__ labels, int64_t count,
                                                                uint32_t* counts) {
  for (int64_t i = thread_index(); i - lane_index() < count; i += thread_count()) {
    const unsigned present = __ballot_sync(kAllLanes, i < count);
    if (i >= count) break;
    const unsigned equal = __match_any_sync(present, labels[i]);
    if (!(equal & lanes_before())) atomicAdd(counts + labels[i], uint32_t(__popc(equal)));
  }
}

// ranks: Rank[count], those of documents first .. first+count; best: Rank[documents];
// survivors: uint32[documents].
extern "C" __global__ void __launch_bounds__(256) raise_best(const uint32_t* __restrict__ labels, int64_t first,
                                                             const Rank* __restrict__ ranks, int64_t count,
                                                             uint32_t* survivors, Rank* best) {
  for (int64_t i = thread_index(); i < count; i += thread_count()) {
    const uint32_t label = labels[first + i];
    const Rank rank = ranks[i];
    if (rank <= __ldcg(best + label)) continue;
    if (max_atomically(best + label, rank) < rank) survivors[label] = 0xffffffffu;
  }
}

// To be run behind raise_best of the same arguments.
extern "C" __global__ void __launch_bounds__(256) name_survivors(const uint32_t* __restrict__ labels, int64_t first,
                                                                 const Rank* __restrict__ ranks, int64_t count,
                                                                 uint32_t* survivors, const Rank* best) {
  for (int64_t i = thread_index(); i < count; i += thread_count()) {
    const uint32_t label = labels[first + i];
    const Rank rank = ranks[i];
    if (rank && rank == best[label]) atomicMin(survivors + label, uint32_t(first + i));
  }
}
