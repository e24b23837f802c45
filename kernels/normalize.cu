// Lower case and single spaces; docs/algorithms.md has the definition,
// gpucurate/ops/normalize/contract.py the interface, cpu.py the same on the CPU.
//
// Contract
//   Text is valid UTF-8 in chunks (text.cuh). A character becomes what the table makes of it: its
//   lower case, or U+0020 if it is white space. White space at the front of a document or behind
//   white space becomes nothing. So a document that ends in white space has one U+0020 too many:
//   `measure` says which do (trailing), the caller leaves no room for it, `write` keeps
//   within the room. A character belongs to the chunk in which it begins.
//
// Distribution of work
//   Two passes, each one warp per chunk, persistent grid of blocks of 256 threads: first the bytes
//   of each chunk's result, then, after the caller's prefix sum over them, the bytes themselves.
//   Each lane makes the character that begins at its byte; whether white space came before it is
//   seen by two votes, where it goes by three.
//
// Cost model
//   For 32 bytes of ASCII: 2 votes (5 with writing), two table look-ups a lane from L1, about 40 and
//   60 instructions. Text is read twice from memory and written once.

#include "text.cuh"
#include "warp.cuh"

namespace {

constexpr uint32_t kSpace = 0x20;

// What a character becomes: a code point of so many bytes, 0 for nothing.
struct Made {
  uint32_t point;
  int bytes;
};

__device__ __forceinline__ int bytes_of(uint32_t point) {
  return 1 + (point >= 0x80) + (point >= 0x800) + (point >= 0x10000);
}

__device__ __forceinline__ bool is_space(uint32_t point, const UnicodeTable<uint32_t>& normal) {
  return point + normal[point] == kSpace;
}

// Whether a character at the front of the chunk follows white space, or nothing.
__device__ __forceinline__ bool follows_space(const uint8_t* __restrict__ data, const Chunk& chunk,
                                              const UnicodeTable<uint32_t>& normal) {
  const uint32_t before = code_point_before(data, chunk.at, chunk.start, chunk.stop);
  return before == kNoCharacter || is_space(before, normal);
}

// What the character that begins at data[at + lane] becomes. after_space: whether the last character
// before `at` is white space; then the same for the 32 bytes taken.
__device__ __forceinline__ Made make(const uint8_t* __restrict__ data, int64_t at, const Chunk& chunk,
                                     const UnicodeTable<uint32_t>& normal, bool& after_space) {
  const int64_t place = at + lane_index();
  const bool begins = place < chunk.end && begins_character(data[place]);
  uint32_t point = 0;
  if (begins) {
    point = code_point_at(data, place, chunk.stop);
    point += normal[point];
  }
  const unsigned begun = __ballot_sync(kAllLanes, begins), spaces = __ballot_sync(kAllLanes, point == kSpace);
  const unsigned before = begun & lanes_before();
  const bool behind_space = before ? spaces >> last_lane(before) & 1 : after_space;
  if (begun) after_space = spaces >> last_lane(begun) & 1;
  if (!begins || (point == kSpace && behind_space)) return {0, 0};
  return {point, bytes_of(point)};
}

// Where this lane's bytes go: the sum of `bytes` over the lanes before; over all lanes: total.
__device__ __forceinline__ int place_of(int bytes, int& total) {
  const unsigned ones = __ballot_sync(kAllLanes, bytes & 1), twos = __ballot_sync(kAllLanes, bytes & 2),
                 fours = __ballot_sync(kAllLanes, bytes & 4), before = lanes_before();
  total = __popc(ones) + 2 * __popc(twos) + 4 * __popc(fours);
  return __popc(ones & before) + 2 * __popc(twos & before) + 4 * __popc(fours & before);
}

__device__ __forceinline__ void encode(const Made& made, uint8_t* out, int64_t at, int64_t stop) {
  const uint32_t leads = 0xF0E0C000u;  // of characters of 4, 3, 2 and 1 bytes
  for (int k = 0; k < made.bytes && at + k < stop; ++k) {
    const uint32_t bits = made.point >> (6 * (made.bytes - 1 - k));
    out[at + k] = uint8_t(k ? 0x80 | (bits & 0x3F) : (leads >> (8 * (made.bytes - 1)) & 0xFF) | bits);
  }
}

}  // namespace

// stage1, stage2: UnicodeTables.normal_stage1, normal_stage2. lengths: int32[chunks];
// trailing: uint8[documents].
extern "C" __global__ void __launch_bounds__(256) normalize_measure(
    const uint8_t* __restrict__ data, const int64_t* __restrict__ offsets, const int64_t* __restrict__ first_chunk,
    const int32_t* __restrict__ chunk_document, int64_t chunks, int chunk_bytes, const uint16_t* __restrict__ stage1,
    const uint32_t* __restrict__ stage2, int32_t* lengths, uint8_t* trailing) {
  const ChunkList list{offsets, offsets + 1, first_chunk, chunk_document, chunk_bytes};
  const UnicodeTable<uint32_t> normal{stage1, stage2};
  for (int64_t number = warp_index(); number < chunks; number += warp_count()) {
    const Chunk chunk = list[number];
    bool after_space = follows_space(data, chunk, normal);
    int bytes = 0;
    for (int64_t at = chunk.at; at < chunk.end; at += 32) bytes += make(data, at, chunk, normal, after_space).bytes;
    bytes = warp_sum(bytes);
    if (lane_index() != 0) continue;
    lengths[number] = bytes;
    if (chunk.end == chunk.stop) trailing[chunk.document] = chunk.start < chunk.stop && after_space;
  }
}

// positions: int64[chunks + 1], sums of lengths before each chunk; out_offsets: int64[documents + 1].
extern "C" __global__ void __launch_bounds__(256) normalize_write(
    const uint8_t* __restrict__ data, const int64_t* __restrict__ offsets, const int64_t* __restrict__ first_chunk,
    const int32_t* __restrict__ chunk_document, int64_t chunks, int chunk_bytes, const uint16_t* __restrict__ stage1,
    const uint32_t* __restrict__ stage2, const int64_t* __restrict__ positions,
    const int64_t* __restrict__ out_offsets, uint8_t* out) {
  const ChunkList list{offsets, offsets + 1, first_chunk, chunk_document, chunk_bytes};
  const UnicodeTable<uint32_t> normal{stage1, stage2};
  for (int64_t number = warp_index(); number < chunks; number += warp_count()) {
    const Chunk chunk = list[number];
    bool after_space = follows_space(data, chunk, normal);
    int64_t to = out_offsets[chunk.document] + positions[number] - positions[first_chunk[chunk.document]];
    const int64_t to_stop = out_offsets[chunk.document + 1];
    for (int64_t at = chunk.at; at < chunk.end; at += 32) {
      const Made made = make(data, at, chunk, normal, after_space);
      int total;
      const int place = place_of(made.bytes, total);
      encode(made, out, to + place, to_stop);
      to += total;
    }
  }
}
