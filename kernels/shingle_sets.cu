// Sets of shingles of documents, and what two of them share; docs/algorithms.md has the
// definitions, gpucurate/ops/jaccard/contract.py the interface.
//
// Contract
//   shingle_hashes: text is valid UTF-8 in chunks (text.cuh), document d is data[starts[d] .. stops[d]),
//   shingles are of characters or words (shingles.cuh), hashed to 64 bits, none of them 0. The hashes
//   of document d go to the front of hashes[room[d] .. room[d+1]), in any order and as often as they
//   occur. A document has no more shingles than bytes. The caller fills hashes and counts with 0.
//   shared_hashes: sets[begins[d] .. begins[d+1]) are the distinct hashes of document d, ascending.
//   common[i] is how many are in the sets of both left[i] and right[i].
//
// Distribution of work
//   shingle_hashes: one warp per chunk, one atomic for 32 shingles. Between the two the caller sorts.
//   shared_hashes: one warp per pair; each lane looks an element of the smaller set up in the
//   larger one by bisection. Persistent grids of blocks of 256 threads.
//
// Cost model
//   shingle_hashes: hashing as minhash.cu with products of 64 bits (4 instructions each), and 8 bytes
//   written a shingle. shared_hashes: for 32 elements log2(larger) dependent loads, from L2 mostly.

#include "shingles.cuh"

namespace {

// Appends the shingles of one document: a sink.
struct Appender {
  uint64_t* hashes;
  uint32_t* count;

  __device__ __forceinline__ void absorb(const uint64_t* found, int shingles) {
    uint32_t place = 0;
    if (lane_index() == 0) place = atomicAdd(count, uint32_t(shingles));
    place = __shfl_sync(kAllLanes, place, 0);
    if (lane_index() < shingles) hashes[int64_t(place) + lane_index()] = found[lane_index()];
  }
};

struct Set {
  const uint64_t* __restrict__ hashes;
  int64_t size;

  __device__ __forceinline__ bool has(uint64_t hash) const {
    int64_t low = 0, high = size;
    while (low < high) {
      const int64_t middle = (low + high) / 2;
      if (hashes[middle] < hash) low = middle + 1;
      else high = middle;
    }
    return low < size && hashes[low] == hash;
  }
};

__device__ __forceinline__ Set set_of(const uint64_t* sets, const int64_t* begins, int64_t document) {
  return {sets + begins[document], begins[document + 1] - begins[document]};
}

}  // namespace

// starts, stops: int64[documents]; stage1, stage2: UnicodeTables.class_stage1, class_stage2, for words;
// room: int64[documents + 1]; counts: uint32[documents]; hashes: uint64[room[documents]].
extern "C" __global__ void __launch_bounds__(256, 3) shingle_hashes(
    const uint8_t* __restrict__ data, const int64_t* __restrict__ starts, const int64_t* __restrict__ stops,
    const int64_t* __restrict__ first_chunk, const int32_t* __restrict__ chunk_document, int64_t chunks,
    int chunk_bytes, const uint16_t* __restrict__ stage1, const uint8_t* __restrict__ stage2, int ngram,
    const int64_t* __restrict__ room, uint32_t* counts, uint64_t* hashes) {
  __shared__ ShingleScratch<uint64_t> scratch[kWarpsPerBlock];
  const ChunkList list{starts, stops, first_chunk, chunk_document, chunk_bytes};
  const UnicodeTable<uint8_t> classes{stage1, stage2};
  for (int64_t number = warp_index(); number < chunks; number += warp_count()) {
    const Chunk chunk = list[number];
    Appender appender{hashes + room[chunk.document], counts + chunk.document};
    absorb_shingles<Hash64>(data, chunk, ngram, classes, scratch[threadIdx.x >> 5], appender);
  }
}

// sets: uint64; begins: int64[documents + 1]; left, right: int64[pairs]; common: uint32[pairs].
extern "C" __global__ void __launch_bounds__(256) shared_hashes(const uint64_t* __restrict__ sets,
                                                                const int64_t* __restrict__ begins,
                                                                const int64_t* __restrict__ left,
                                                                const int64_t* __restrict__ right, int64_t pairs,
                                                                uint32_t* common) {
  for (int64_t pair = warp_index(); pair < pairs; pair += warp_count()) {
    const int64_t one = left[pair], other = right[pair];
    const bool in_order = begins[one + 1] - begins[one] <= begins[other + 1] - begins[other];
    const Set smaller = set_of(sets, begins, in_order ? one : other);
    const Set larger = set_of(sets, begins, in_order ? other : one);
    uint32_t shared = 0;
    for (int64_t i = lane_index(); i < smaller.size; i += 32) shared += larger.has(smaller.hashes[i]);
    shared = warp_sum(shared);
    if (lane_index() == 0) common[pair] = shared;
  }
}
