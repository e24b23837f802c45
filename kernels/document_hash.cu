// The 128-bit hash of each document; docs/algorithms.md has the definition,
// gpucurate/ops/document_hash/contract.py the interface, cpu.py the same on the CPU.
//
// Contract
//   Document d is data[offsets[d] .. offsets[d+1]), any bytes. Its 64-bit little-endian words
//   are mixed with their number and summed within chunks of 64 KiB, the chunks' sums in the same
//   way, then the length. hashes is [documents, 2]; (0, 0) where valid[d] is 0 (valid may be
//   null: none is). The caller fills sums and finished with 0.
//
// Distribution of work
//   One warp per piece of `piece_bytes` (2048; it divides 64 KiB) of one document, at least one
//   piece each, persistent grid of blocks of 256 threads. Sums do not depend on an order, so
//   a piece adds to the sums of its chunk by two atomics, and the warp that ends a document's
//   last piece sums over its chunks. A document of one piece needs no atomics.
//
// Cost model
//   Per 8 bytes, in one lane: six 64-bit products and about twenty 64-bit shifts, sums and xors;
//   20 shuffles a piece. Each byte is read once from memory (a word that straddles an aligned
//   word is two loads, the second one from L1); arithmetic and memory weigh about the same.

#include "portable.cuh"

namespace {

constexpr int kWarpsPerBlock = 8;
constexpr int kChunkBytes = 65536;
constexpr unsigned kAllLanes = 0xffffffffu;
constexpr uint64_t kSaltA = 0x9E3779B97F4A7C15ull;
constexpr uint64_t kSaltB = 0xC2B2AE3D27D4EB4Full;

__device__ __forceinline__ uint64_t mix_a(uint64_t x) {
  x = (x ^ (x >> 33)) * 0xFF51AFD7ED558CCDull;
  x = (x ^ (x >> 33)) * 0xC4CEB9FE1A85EC53ull;
  return x ^ (x >> 33);
}

__device__ __forceinline__ uint64_t mix_b(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

struct Sums {
  uint64_t a = 0, b = 0;

  // Takes in value number `place`, counted from 1.
  __device__ __forceinline__ void add(uint64_t for_a, uint64_t for_b, uint64_t place) {
    a += mix_a(for_a + place * kSaltA);
    b += mix_b(for_b ^ (place * kSaltB));
  }

  // The sums over all lanes, in every lane.
  __device__ __forceinline__ void reduce() {
    for (int with = 16; with; with >>= 1) {
      a += __shfl_xor_sync(kAllLanes, a, with);
      b += __shfl_xor_sync(kAllLanes, b, with);
    }
  }
};

// The eight bytes at data[at], those from `stop` on as 0. Never leaves the aligned words that
// hold bytes of the document.
__device__ __forceinline__ uint64_t word_at(const uint8_t* __restrict__ data, int64_t at, int64_t stop) {
  uint64_t word = 0;
  if (at + 8 > stop) {
    for (int64_t k = at; k < stop; ++k) word |= uint64_t(data[k]) << (8 * (k - at));
    return word;
  }
  const size_t address = reinterpret_cast<size_t>(data + at);
  const uint64_t* aligned = reinterpret_cast<const uint64_t*>(address & ~size_t(7));
  const int shift = int(address & 7) * 8;
  return shift ? aligned[0] >> shift | aligned[1] << (64 - shift) : aligned[0];
}

// Sums of the words in [at, end), whose first is word `number` of its chunk. All lanes get them.
__device__ __forceinline__ Sums piece_sums(const uint8_t* __restrict__ data, int64_t at, int64_t end, int64_t number) {
  const int lane = threadIdx.x & 31;
  Sums sums;
  for (int64_t j = lane; at + 8 * j < end; j += 32) {
    const uint64_t word = word_at(data, at + 8 * j, end);
    sums.add(word, word, uint64_t(number + j) + 1);
  }
  sums.reduce();
  return sums;
}

// Sums over the chunks of a document. All lanes get them.
__device__ __forceinline__ Sums chunk_sums(const uint64_t* sums_of_chunks, int64_t chunks) {
  Sums sums;
  for (int64_t i = threadIdx.x & 31; i < chunks; i += 32) {
    sums.add(__ldcg(sums_of_chunks + 2 * i), __ldcg(sums_of_chunks + 2 * i + 1), uint64_t(i) + 1);
  }
  sums.reduce();
  return sums;
}

__device__ __forceinline__ void add_atomically(uint64_t* sum, uint64_t value) {
  atomicAdd(reinterpret_cast<unsigned long long*>(sum), static_cast<unsigned long long>(value));
}

// Adds a piece to its chunk; whether it was the last of the document's pieces.
__device__ __forceinline__ bool add_piece(uint64_t* chunk, const Sums& piece, uint32_t* finished, int64_t pieces) {
  uint32_t before = 0;
  if ((threadIdx.x & 31) == 0) {
    add_atomically(chunk, piece.a);
    add_atomically(chunk + 1, piece.b);
    __threadfence();
    before = atomicAdd(finished, 1u);
    __threadfence();
  }
  return __shfl_sync(kAllLanes, before, 0) + 1 == pieces;
}

}  // namespace

// first_piece: int64[documents + 1], pieces before each document; piece_document: int32[pieces];
// sums: uint64[pieces, 2], of which a document uses one for each of its chunks;
// finished: uint32[documents].
extern "C" __global__ void __launch_bounds__(256) document_hash(
    const uint8_t* __restrict__ data, const int64_t* __restrict__ offsets, const uint8_t* __restrict__ valid,
    const int64_t* __restrict__ first_piece, const int32_t* __restrict__ piece_document, int64_t pieces,
    int piece_bytes, uint64_t* sums, uint32_t* finished, uint64_t* hashes) {
  const int64_t warps = int64_t(gridDim.x) * kWarpsPerBlock;
  for (int64_t piece = int64_t(blockIdx.x) * kWarpsPerBlock + (threadIdx.x >> 5); piece < pieces; piece += warps) {
    const int32_t document = piece_document[piece];
    const int64_t start = offsets[document], length = offsets[document + 1] - start;
    const int64_t first = first_piece[document], count = first_piece[document + 1] - first;
    const int64_t at = (piece - first) * piece_bytes, end = min(at + piece_bytes, length);
    const int64_t chunk = at / kChunkBytes, chunks = (length + kChunkBytes - 1) / kChunkBytes;
    const Sums own = piece_sums(data, start + at, start + end, (at - chunk * kChunkBytes) / 8);
    Sums total;
    if (count > 1) {
      if (!add_piece(sums + 2 * (first + chunk), own, finished + document, count)) continue;
      total = chunk_sums(sums + 2 * first, chunks);
    } else if (length > 0) {
      total.add(own.a, own.b, 1);
    }
    if ((threadIdx.x & 31) != 0) continue;
    const bool is_null = valid != nullptr && !valid[document];
    hashes[2 * int64_t(document)] = is_null ? 0 : mix_a(total.a + (uint64_t(length) + 1) * kSaltA);
    hashes[2 * int64_t(document) + 1] = is_null ? 0 : mix_b(total.b + (uint64_t(length) + 1) * kSaltB);
  }
}
