// The 128-bit hash of each document; docs/algorithms.md has the definition,
// gpucurate/ops/document_hash/contract.py the interface, cpu.py the same on the CPU.
//
// Contract
//   Document d is data[offsets[d] .. offsets[d+1]), any bytes. Its 64-bit little-endian words
//   are mixed with their number and summed within pieces of 64 KiB, the pieces' sums in the same
//   way, then the length. hashes is [documents, 2]; (0, 0) where valid[d] is 0 (valid may be
//   null: none is). The caller fills sums and finished with 0.
//
// Distribution of work
//   One warp per chunk of `chunk_bytes` (2048; it divides 64 KiB) of one document, at least one
//   chunk each, persistent grid of blocks of 256 threads. Sums do not depend on an order, so
//   a chunk adds to the sums of its piece by two atomics, and the warp that ends a document's
//   last chunk sums over its pieces. A document of one chunk needs no atomics.
//
// Cost model
//   Per 8 bytes, in one lane: six 64-bit products and about twenty 64-bit shifts, sums and xors;
//   20 shuffles a chunk. Each byte is read once from memory (a word that straddles an aligned
//   word is two loads, the second one from L1); arithmetic and memory weigh about the same.

#include "mixing.cuh"
#include "text.cuh"
#include "warp.cuh"

namespace {

constexpr int kPieceBytes = 65536;
constexpr uint64_t kSaltA = 0x9E3779B97F4A7C15ull;
constexpr uint64_t kSaltB = 0xC2B2AE3D27D4EB4Full;

struct Sums {
  uint64_t a = 0, b = 0;

  // Takes in value number `place`, counted from 1.
  __device__ __forceinline__ void add(uint64_t for_a, uint64_t for_b, uint64_t place) {
    a += fmix64(for_a + place * kSaltA);
    b += splitmix64_finaliser(for_b ^ (place * kSaltB));
  }
};

__device__ __forceinline__ Sums over_all_lanes(const Sums& sums) { return {warp_sum(sums.a), warp_sum(sums.b)}; }

// Sums of the words of a chunk, whose first is word `number` of its piece. All lanes get them.
__device__ __forceinline__ Sums sums_of_words(const uint8_t* __restrict__ data, const Chunk& chunk, int64_t number) {
  Sums sums;
  for (int64_t j = lane_index(); chunk.at + 8 * j < chunk.end; j += 32) {
    const uint64_t word = word_at(data, chunk.at + 8 * j, chunk.end);
    sums.add(word, word, uint64_t(number + j) + 1);
  }
  return over_all_lanes(sums);
}

// Sums over the pieces of a document. All lanes get them.
__device__ __forceinline__ Sums sums_of_pieces(const uint64_t* sums_of_pieces, int64_t pieces) {
  Sums sums;
  for (int64_t i = lane_index(); i < pieces; i += 32) {
    sums.add(__ldcg(sums_of_pieces + 2 * i), __ldcg(sums_of_pieces + 2 * i + 1), uint64_t(i) + 1);
  }
  return over_all_lanes(sums);
}

}  // namespace

// first_chunk: int64[documents + 1]; chunk_document: int32[chunks]; sums: uint64[chunks, 2], of
// which a document uses one for each of its pieces; finished: uint32[documents].
// Four blocks are what the grid holds of a multiprocessor: left to guess more, ptxas spills on sm_120.
extern "C" __global__ void __launch_bounds__(256, 4) document_hash(
    const uint8_t* __restrict__ data, const int64_t* __restrict__ offsets, const int64_t* __restrict__ first_chunk,
    const int32_t* __restrict__ chunk_document, int64_t chunks, int chunk_bytes, const uint8_t* __restrict__ valid,
    uint64_t* sums, uint32_t* finished, uint64_t* hashes) {
  const ChunkList list{offsets, offsets + 1, first_chunk, chunk_document, chunk_bytes};
  for (int64_t number = warp_index(); number < chunks; number += warp_count()) {
    const Chunk chunk = list[number];
    const int64_t length = chunk.stop - chunk.start, before = chunk.at - chunk.start;
    const int64_t first = first_chunk[chunk.document], count = list.chunks_of(chunk.document);
    const Sums own = sums_of_words(data, chunk, before % kPieceBytes / 8);
    Sums total;
    if (count > 1) {
      uint64_t* piece = sums + 2 * (first + before / kPieceBytes);
      if (lane_index() == 0) {
        add_atomically(piece, own.a);
        add_atomically(piece + 1, own.b);
      }
      if (!finishes_last(finished + chunk.document, count)) continue;
      total = sums_of_pieces(sums + 2 * first, (length + kPieceBytes - 1) / kPieceBytes);
    } else if (length > 0) {
      total.add(own.a, own.b, 1);
    }
    if (lane_index() != 0) continue;
    const uint64_t is_known = valid == nullptr || valid[chunk.document] ? ~0ull : 0ull, salt = uint64_t(length) + 1;
    hashes[2 * int64_t(chunk.document)] = is_known & fmix64(total.a + salt * kSaltA);
    hashes[2 * int64_t(chunk.document) + 1] = is_known & splitmix64_finaliser(total.b + salt * kSaltB);
  }
}
