// Documents of equal keys joined, without sorting keys in full; docs/algorithms.md has the definition of
// components, gpucurate/ops/union_find/cuda.py calls this.
//
// Contract
//   Keys of one or two words are mixed to a prefix of PREFIX_BITS bits. `pack_keys` writes prefix and place
//   (32 bits each) of every key into one word; the caller sorts these. `hook_equal` takes them sorted: each
//   key is joined with the next equal one behind it, which has the same prefix and so is close. Of
//   different keys that share a prefix there are few, unless one of them has very many copies: a search goes no
//   further than SCAN_LIMIT neighbours. Two equal keys that it does not bring together are both listed,
//   the one for what lies behind it, the other for what lies before it; who calls joins the listed
//   ones by sorting them in full. `listed` grows beyond the `room` of the list: then the whole is done again
//   with another salt. Joins may be repeated, so that the result does not depend on any of this.
//
// Distribution of work
//   One thread a key, persistent grid of blocks of 256 threads. The list in any order. Where a warp has a run of
//   equal keys, each is joined with the first of them: would each be joined with its neighbour, all at once, then
//   the paths of the union-find would be as long as there are copies, and be walked one random read after the other.
//
// Cost model
//   Memory binds: 8 or 16 bytes of key read and 8 written a key to pack, 8 read to hook; in between
//   the sort of 64-bit words alone, 16 bytes a key and byte of the word. Keys and ids are looked up (32 bytes of
//   traffic each) only where two neighbours share a prefix: copies, and n / 2^32 of the others.

#include "mixing.cuh"
#include "union_find.cuh"

namespace {

__device__ __forceinline__ uint64_t prefix_of(const uint64_t* high, const uint64_t* low, int64_t at, uint64_t salt) {
  uint64_t mixed = fmix64(high[at] ^ salt);
  if (low) mixed = fmix64(mixed ^ low[at]);
  return mixed >> (64 - PREFIX_BITS);
}

struct Keys {
  const uint64_t* high;
  const uint64_t* low;

  __device__ __forceinline__ bool equal(uint32_t a, uint32_t b) const {
    return high[a] == high[b] && (!low || low[a] == low[b]);
  }
};

// The place of the next equal key within reach in one direction: own place if the run of the prefix ends before,
// and `cut` is set if it goes on.
__device__ __forceinline__ uint32_t next_equal(const Keys& keys, const uint64_t* packed, int64_t count, int64_t i,
                                               int direction, bool* cut) {
  const uint64_t own = packed[i];
  for (int step = 1;; ++step) {
    const int64_t j = i + int64_t(direction) * step;
    if (j < 0 || j >= count || (packed[j] ^ own) >> 32) return uint32_t(own);
    if (step > SCAN_LIMIT) {
      *cut = true;
      return uint32_t(own);
    }
    if (keys.equal(uint32_t(own), uint32_t(packed[j]))) return uint32_t(packed[j]);
  }
}

// Of lanes each of which has its next equal key in the lane behind it, the first one's key. All lanes call it.
__device__ __forceinline__ uint32_t first_of_run(uint32_t own, uint32_t other) {
  const uint32_t behind = __shfl_down_sync(kAllLanes, own, 1);
  const unsigned goes_on = __ballot_sync(kAllLanes, other != own && other == behind && lane_index() < 31);
  const unsigned ends = ~goes_on & lanes_before();
  return __shfl_sync(kAllLanes, own, ends ? last_lane(ends) + 1 : 0);
}

}  // namespace

// high: uint64[count]; low: the same, or null for keys of one word; packed: uint64[count].
extern "C" __global__ void __launch_bounds__(256) pack_keys(const uint64_t* __restrict__ high,
                                                            const uint64_t* __restrict__ low, int64_t count,
                                                            uint64_t salt, uint64_t* __restrict__ packed) {
  for (int64_t i = thread_index(); i < count; i += thread_count()) {
    packed[i] = prefix_of(high, low, i, salt) << 32 | uint64_t(i);
  }
}

// packed: uint64[count], ascending; ids: uint32[count]; list: uint32[room]; listed: uint64[1].
// Four blocks are what the grid holds of a multiprocessor: left to guess more, ptxas spills on sm_100.
extern "C" __global__ void __launch_bounds__(256, 4) hook_equal(
    const uint64_t* __restrict__ high, const uint64_t* __restrict__ low, const uint64_t* __restrict__ packed,
    const uint32_t* __restrict__ ids, int64_t count, uint32_t* parents, uint32_t* __restrict__ list, int64_t room,
    unsigned long long* listed) {
  const Keys keys{high, low};
  for (int64_t i = thread_index(); i - lane_index() < count; i += thread_count()) {
    const bool is_key = i < count;
    bool cut = false;
    const uint32_t own = is_key ? uint32_t(packed[i]) : 0;
    const uint32_t other = is_key ? next_equal(keys, packed, count, i, 1, &cut) : own;
    const uint32_t first = first_of_run(own, other);
    if (other != own) join(parents, ids[first], ids[other]);
    if (!is_key) continue;
    // Only a run that reaches so far back can hide an equal key.
    const int64_t beyond = i - SCAN_LIMIT - 1;
    if (!cut && beyond >= 0 && !((packed[beyond] ^ packed[i]) >> 32)) next_equal(keys, packed, count, i, -1, &cut);
    if (cut) {
      const unsigned long long place = atomicAdd(listed, 1ull);
      if (place < (unsigned long long)room) list[place] = own;
    }
  }
}
