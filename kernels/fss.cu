// Fast Similarity Sketching (rule fss), fused with band keys; docs/algorithms.md has the
// definitions, gpucurate/ops/minhash/contract.py the interface.
//
// Contract
//   Text is valid UTF-8 in chunks (text.cuh), shingles are of characters or words (shingles.cuh). In
//   round r a shingle x throws a word, made of r and of fmix32(m_r * x), into one of the K slots of
//   its document; a slot keeps the least. Words of a round are above those of earlier rounds: a round of
//   which every word would be above all slots is not needed. The caller fills slots with 2^32-1,
//   found and finished with 0, runs fss_first and then fss_rest. found becomes 1 for a document with
//   a shingle; one without keeps its slots and gets keys of 0. keys may be null: slots only.
//
// Distribution of work
//   One warp per chunk, persistent grid of blocks of 256 threads, a lane a shingle. fss_first does round
//   0, which fills all slots of a document of more than about K ln K distinct shingles. fss_rest does
//   the others, chunk by chunk, until the document's slots are low enough: they only fall, so whatever
//   other chunks have done by then, no needed word is left out. Up to SHARED_SLOTS (compile with the
//   power of two not below K, at most 512) a warp keeps its slots in shared memory and brings them
//   together with the document's once a round; of more slots it uses the document's.
//
// Cost model, characters
//   A round of 32 shingles: hashing as minhash.cu, a product, fmix32, a product of 64 bits and one
//   atomic in shared memory: about 20 instructions beside hashing. A chunk adds K loads and at most
//   K atomics in L2 a round. 300 shingles take about 3 rounds of K=128, one shingle 255.

#include "band_keys.cuh"
#include "shingles.cuh"

#ifndef SHARED_SLOTS
#define SHARED_SLOTS 128
#endif

namespace {

constexpr int kLongRound = 255;

// The least word of a round.
__device__ __forceinline__ uint32_t first_word(int round) {
  return round < kLongRound ? uint32_t(round) << 24 : uint32_t(kLongRound) << 24 | uint32_t(round - kLongRound) << 11;
}

// One round: a sink of shingles.
struct Round {
  uint32_t* slots;
  int count, number;
  uint32_t multiplier;

  __device__ __forceinline__ void absorb(const uint32_t* hashes, int shingles) {
    const bool has = lane_index() < shingles;
    const uint32_t mixed = has ? fmix32(multiplier * hashes[lane_index()]) : 0xffffffffu;
    const int shift = number < kLongRound ? 8 : 21;
    if (number < count) {  // each shingle into a slot of its own choice
      const uint64_t scaled = uint64_t(mixed) * uint32_t(count);
      if (has) atomicMin(slots + (scaled >> 32), first_word(number) | uint32_t(scaled) >> shift);
    } else {  // all into one
      const uint32_t least = __reduce_min_sync(kAllLanes, mixed);
      if (lane_index() == 0) atomicMin(slots + (number - count), first_word(number) | least >> shift);
    }
  }
};

// A warp's slots, in its shared memory or those of the document themselves.
struct Slots {
  uint32_t* of_document;
  uint32_t* own;
  int count;

  // Brings both together, slot by slot; the largest word.
  __device__ __forceinline__ uint32_t merge() const {
    uint32_t largest = 0;
    __syncwarp();
    for (int k = lane_index(); k < count; k += 32) {
      uint32_t least = __ldcg(of_document + k);
      if (SHARED_SLOTS) {
        if (own[k] < least) atomicMin(of_document + k, own[k]);
        least = min(least, own[k]);
        own[k] = least;
      }
      largest = max(largest, least);
    }
    __syncwarp();
    return __reduce_max_sync(kAllLanes, largest);
  }

  __device__ __forceinline__ void clear() const {
    for (int k = lane_index(); SHARED_SLOTS && k < count; k += 32) own[k] = 0xffffffffu;
    __syncwarp();
  }
};

__device__ __forceinline__ Slots slots_of(uint32_t* slots, uint32_t* shared, int32_t document, int count) {
  uint32_t* of_document = slots + int64_t(document) * count;
  const Slots found{of_document, SHARED_SLOTS ? shared : of_document, count};
  found.clear();
  return found;
}

}  // namespace

// stage1, stage2: UnicodeTables.class_stage1, class_stage2, for words; multipliers: uint32[2 * count];
// slots: uint32[documents, count]; found: uint32[documents].
extern "C" __global__ void __launch_bounds__(256, 4) fss_first(
    const uint8_t* __restrict__ data, const int64_t* __restrict__ offsets, const int64_t* __restrict__ first_chunk,
    const int32_t* __restrict__ chunk_document, int64_t chunks, int chunk_bytes, const uint16_t* __restrict__ stage1,
    const uint8_t* __restrict__ stage2, int ngram, const uint32_t* __restrict__ multipliers, int count,
    uint32_t* slots, uint32_t* found) {
  __shared__ ShingleScratch<uint32_t> scratch[kWarpsPerBlock];
  __shared__ uint32_t shared_slots[kWarpsPerBlock][SHARED_SLOTS ? SHARED_SLOTS : 1];
  const ChunkList list{offsets, offsets + 1, first_chunk, chunk_document, chunk_bytes};
  const UnicodeTable<uint8_t> classes{stage1, stage2};
  const int warp = threadIdx.x >> 5;
  for (int64_t number = warp_index(); number < chunks; number += warp_count()) {
    const Chunk chunk = list[number];
    const Slots own = slots_of(slots, shared_slots[warp], chunk.document, count);
    Round round{own.own, count, 0, multipliers[0]};
    if (!absorb_shingles<Hash32>(data, chunk, ngram, classes, scratch[warp], round)) continue;
    own.merge();
    if (lane_index() == 0) atomicOr(found + chunk.document, 1u);
  }
}

// finished: uint32[documents]; keys: uint64[documents, bands].
extern "C" __global__ void __launch_bounds__(256, 4) fss_rest(
    const uint8_t* __restrict__ data, const int64_t* __restrict__ offsets, const int64_t* __restrict__ first_chunk,
    const int32_t* __restrict__ chunk_document, int64_t chunks, int chunk_bytes, const uint16_t* __restrict__ stage1,
    const uint8_t* __restrict__ stage2, int ngram, const uint32_t* __restrict__ multipliers, int count, int bands,
    int rows, uint32_t* slots, const uint32_t* __restrict__ found, uint32_t* finished, uint64_t* keys) {
  __shared__ ShingleScratch<uint32_t> scratch[kWarpsPerBlock];
  __shared__ uint32_t shared_slots[kWarpsPerBlock][SHARED_SLOTS ? SHARED_SLOTS : 1];
  const ChunkList list{offsets, offsets + 1, first_chunk, chunk_document, chunk_bytes};
  const UnicodeTable<uint8_t> classes{stage1, stage2};
  const int warp = threadIdx.x >> 5;
  for (int64_t number = warp_index(); number < chunks; number += warp_count()) {
    const Chunk chunk = list[number];
    const Slots own = slots_of(slots, shared_slots[warp], chunk.document, count);
    uint32_t largest = own.merge();
    for (int r = 1; r < 2 * count && largest >= first_word(r); ++r) {
      Round round{own.own, count, r, multipliers[r]};
      if (!absorb_shingles<Hash32>(data, chunk, ngram, classes, scratch[warp], round)) break;
      largest = own.merge();
    }
    if (keys == nullptr || !finishes_last(finished + chunk.document, list.chunks_of(chunk.document))) continue;
    write_band_keys(own.of_document, found[chunk.document] != 0, bands, rows, keys + int64_t(chunk.document) * bands);
  }
}
