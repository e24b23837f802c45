// MinHash with the values of cuDF's minhash and minhash64 (rules nvtext32, nvtext64), fused with
// band keys; docs/algorithms.md has the definitions, gpucurate/ops/minhash/contract.py the interface.
//
// Contract
//   Text is valid UTF-8 in chunks (text.cuh). The hash of a window of `ngram` characters, or of a
//   whole document that is shorter, is max(H, 1), H being MurmurHash3 of its bytes: x86_32 for
//   values of 32 bits, the first word of x64_128 for -DVALUE_BITS=64. signature[k] is the least
//   a_k*h + b_k mod 2^VALUE_BITS, of 64 bits modulo 2^61-1. The caller fills signatures with ones
//   and finished with 0; a document without text keeps its signature, which the caller sets to 0,
//   and gets keys of 0. keys may be null: signatures only.
//
// Distribution of work
//   As minhash.cu: one warp per chunk, a lane hashes the window that begins at its byte, a lane owns
//   LANE_PERMUTATIONS permutations. Compile with ceil(K / 32), at most 9 (5 of 64 bits).
//
// Cost model, K permutations, n characters, ASCII
//   For 32 windows: K products with addition and K minima of 32 bits (of 64 bits about 6 and 8
//   instructions), and hashing: n/8 words of 64 bits from L1, of which each is two loads and a
//   funnel shift, 10 instructions for 4 bytes. Arithmetic binds, by permutations.

#include "band_keys.cuh"
#include "shingles.cuh"

#ifndef LANE_PERMUTATIONS
#define LANE_PERMUTATIONS 4
#endif
#ifndef VALUE_BITS
#define VALUE_BITS 32
#endif

namespace {

constexpr uint64_t kContinuing = 0x8080808080808080ull;

// Moves `at` behind `count` characters, at most to `stop`; how many were missing.
__device__ __forceinline__ int skip_characters(const uint8_t* __restrict__ data, int64_t& at, int64_t stop, int count) {
  while (count >= 8 && stop - at >= 8) {
    const uint64_t word = word_at(data, at, stop);
    count -= 8 - __popcll(word & ~(word << 1) & kContinuing);
    at += 8;
  }
  for (; at < stop; ++at) {
    if (!begins_character(data[at])) continue;
    if (count == 0) break;
    --count;
  }
  return count;
}

template <class T>
__device__ __forceinline__ T rotate(T word, int by) {
  return word << by | word >> (8 * sizeof(T) - by);
}

__device__ __forceinline__ uint64_t lowest_bytes(uint64_t word, int64_t count) {
  return count >= 8 ? word : word & ((1ull << (8 * count)) - 1);
}

#if VALUE_BITS == 64
using Value = uint64_t;
constexpr Value kPrime = (1ull << 61) - 1;
constexpr uint64_t kC1 = 0x87C37B91114253D5ull, kC2 = 0x4CF5AD432745937Full;

__device__ __forceinline__ uint64_t mix_first(uint64_t word) { return rotate(word * kC1, 31) * kC2; }
__device__ __forceinline__ uint64_t mix_second(uint64_t word) { return rotate(word * kC2, 33) * kC1; }

__device__ __forceinline__ Value hash_bytes(const uint8_t* __restrict__ data, int64_t at, int64_t length, int64_t stop,
                                            Value seed) {
  uint64_t first = seed, second = seed;
  const int64_t blocks_end = at + (length & ~int64_t(15));
  for (; at < blocks_end; at += 16) {
    first = (rotate(first ^ mix_first(word_at(data, at, stop)), 27) + second) * 5 + 0x52DCE729u;
    second = (rotate(second ^ mix_second(word_at(data, at + 8, stop)), 31) + first) * 5 + 0x38495AB5u;
  }
  const int64_t rest = length & 15;
  if (rest > 8) second ^= mix_second(lowest_bytes(word_at(data, at + 8, stop), rest - 8));
  if (rest > 0) first ^= mix_first(lowest_bytes(word_at(data, at, stop), rest));
  first ^= uint64_t(length);
  second ^= uint64_t(length);
  first += second;
  second += first;
  return max(fmix64(first) + fmix64(second), uint64_t(1));
}

__device__ __forceinline__ Value permuted(Value hash, Value a, Value b) {
  const Value value = hash * a + b, folded = (value & kPrime) + (value >> 61);
  return folded >= kPrime ? folded - kPrime : folded;
}
#else
using Value = uint32_t;

__device__ __forceinline__ uint32_t mix(uint32_t word) { return rotate(word * 0xCC9E2D51u, 15) * 0x1B873593u; }
__device__ __forceinline__ uint32_t chain(uint32_t state, uint32_t word) {
  return rotate(state ^ mix(word), 13) * 5 + 0xE6546B64u;
}

__device__ __forceinline__ Value hash_bytes(const uint8_t* __restrict__ data, int64_t at, int64_t length, int64_t stop,
                                            Value seed) {
  uint32_t state = seed;
  for (int64_t left = length; left > 0; left -= 8, at += 8) {
    const uint64_t word = lowest_bytes(word_at(data, at, stop), left);
    const uint32_t low = uint32_t(word), high = uint32_t(word >> 32);
    state = left >= 4 ? chain(state, low) : state ^ mix(low);
    if (left > 4) state = left >= 8 ? chain(state, high) : state ^ mix(high);
  }
  return max(fmix32(state ^ uint32_t(length)), 1u);
}

__device__ __forceinline__ Value permuted(Value hash, Value a, Value b) { return hash * a + b; }
#endif

// Four hashes, read at once.
struct __align__(16) Four {
  Value of[4];
};

// What one lane keeps of the permutations: LANE_PERMUTATIONS of them.
struct Minima {
  Value a[LANE_PERMUTATIONS], b[LANE_PERMUTATIONS], low[LANE_PERMUTATIONS];

  __device__ __forceinline__ void load(const Value* __restrict__ multipliers, const Value* __restrict__ addends,
                                       int first, int count) {
#pragma unroll
    for (int j = 0; j < LANE_PERMUTATIONS; ++j) {
      const int index = first + 32 * j;
      a[j] = index < count ? multipliers[index] : 1;
      b[j] = index < count ? addends[index] : 0;
      low[j] = ~Value(0);
    }
  }

  // A sink of hashes. One taken in twice changes nothing: so they come by fours.
  __device__ __forceinline__ void absorb(Value* hashes, int count) {
    const int lane = lane_index(), padded = (count + 3) & ~3;
    if (lane >= count && lane < padded) hashes[lane] = hashes[0];
    __syncwarp();
    for (int i = 0; i < padded; i += 4) {
      const Four x = *reinterpret_cast<const Four*>(hashes + i);
#pragma unroll
      for (int j = 0; j < LANE_PERMUTATIONS; ++j) {
#pragma unroll
        for (int k = 0; k < 4; ++k) low[j] = min(low[j], permuted(x.of[k], a[j], b[j]));
      }
    }
  }

  __device__ __forceinline__ void flush(Value* signature, int first, int permutations) const {
#pragma unroll
    for (int j = 0; j < LANE_PERMUTATIONS; ++j) {
      if (first + 32 * j < permutations) min_atomically(signature + first + 32 * j, low[j]);
    }
  }
};

// Hash of the window that begins at `at`; false if none does.
__device__ __forceinline__ bool window_at(const uint8_t* __restrict__ data, int64_t at, const Chunk& chunk, int ngram,
                                          Value seed, Value& hash) {
  if (!begins_character(data[at])) return false;
  int64_t end = at;
  if (skip_characters(data, end, chunk.stop, ngram) && at != chunk.start) return false;
  hash = hash_bytes(data, at, end - at, chunk.stop, seed);
  return true;
}

}  // namespace

// multipliers, addends: Value[permutations]; signatures: Value[documents, permutations];
// finished: uint32[documents]; keys: uint64[documents, bands].
extern "C" __global__ void __launch_bounds__(256, 2) nvtext(
    const uint8_t* __restrict__ data, const int64_t* __restrict__ offsets, const int64_t* __restrict__ first_chunk,
    const int32_t* __restrict__ chunk_document, int64_t chunks, int chunk_bytes, int ngram, Value seed,
    const Value* __restrict__ multipliers, const Value* __restrict__ addends, int permutations, int bands, int rows,
    Value* signatures, uint32_t* finished, uint64_t* keys) {
  __shared__ __align__(16) Value queues[kWarpsPerBlock][64];
  const ChunkList list{offsets, offsets + 1, first_chunk, chunk_document, chunk_bytes};
  for (int64_t number = warp_index(); number < chunks; number += warp_count()) {
    const Chunk chunk = list[number];
    Value* signature = signatures + int64_t(chunk.document) * permutations;
    for (int first = lane_index(); first - lane_index() < permutations; first += 32 * LANE_PERMUTATIONS) {
      Minima minima;
      minima.load(multipliers, addends, first, permutations);
      Queue<Value> queue{queues[threadIdx.x >> 5]};
      for (int64_t at = chunk.at + lane_index(); at - lane_index() < chunk.end; at += 32) {
        Value hash = 0;
        const bool has = at < chunk.end && window_at(data, at, chunk, ngram, seed, hash);
        queue.push(has, hash, minima);
      }
      queue.flush(minima);
      if (queue.has_any) minima.flush(signature, first, permutations);
    }
    if (keys == nullptr || !finishes_last(finished + chunk.document, list.chunks_of(chunk.document))) continue;
    write_band_keys(signature, chunk.start < chunk.stop, bands, rows, keys + int64_t(chunk.document) * bands);
  }
}
