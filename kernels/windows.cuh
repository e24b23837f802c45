// Bytes of a buffer as a warp reads them: windows of 512 bytes, 16 to a lane, and flags of their bytes.
//
// A flag of a byte is its highest bit, so that four bytes of a register are looked at together; a mask
// has one bit for each of the 16 bytes of a lane, the lowest for the first.
#pragma once
#include "portable.cuh"
#include "warp.cuh"

constexpr int kLaneBytes = 16, kWindowBytes = 32 * kLaneBytes;
constexpr int kSectorBytes = 32;  // of memory: windows begin with one
constexpr uint32_t kFlags = 0x80808080u, kSpaces = 0x20202020u;

__device__ __forceinline__ uint32_t four_times(uint32_t byte) { return byte * 0x01010101u; }

// Flags of the bytes that are not 0.
__device__ __forceinline__ uint32_t flag_nonzero(uint32_t word) {
  return (((word & ~kFlags) + ~kFlags) | word) & kFlags;
}

__device__ __forceinline__ uint32_t flag_equal(uint32_t word, uint32_t byte) {
  return flag_nonzero(word ^ four_times(byte)) ^ kFlags;
}

// Flags of control characters, which are below U+0020.
__device__ __forceinline__ uint32_t flag_control(uint32_t word) {
  return flag_nonzero(word & four_times(0xE0)) ^ kFlags;
}

// The flags of four bytes as the lowest bits: the product puts each beside the next.
__device__ __forceinline__ uint32_t mask_of_flags(uint32_t flags) { return (flags >> 7) * 0x01020408u >> 24; }

__device__ __forceinline__ uint32_t mask_of_flags(const uint32_t (&flags)[4]) {
  return mask_of_flags(flags[0]) | mask_of_flags(flags[1]) << 4 | mask_of_flags(flags[2]) << 8 |
         mask_of_flags(flags[3]) << 12;
}

// The lowest `count` bits, of 0 to 31.
__device__ __forceinline__ uint32_t low_bits(int count) { return (1u << count) - 1; }

struct Window {
  uint32_t word[4];

  __device__ __forceinline__ uint32_t mask_equal(uint32_t byte) const {
    const uint32_t flags[4] = {flag_equal(word[0], byte), flag_equal(word[1], byte), flag_equal(word[2], byte),
                               flag_equal(word[3], byte)};
    return mask_of_flags(flags);
  }

  __device__ __forceinline__ uint32_t mask_control() const {
    const uint32_t flags[4] = {flag_control(word[0]), flag_control(word[1]), flag_control(word[2]),
                               flag_control(word[3])};
    return mask_of_flags(flags);
  }
};

// Where the window begins in which data[at] is among the first bytes; may be before the buffer.
__device__ __forceinline__ int64_t window_start(const uint8_t* data, int64_t at) {
  return at - int64_t(reinterpret_cast<size_t>(data + at) & (kSectorBytes - 1));
}

__device__ __forceinline__ int within_lane(int64_t bytes) {
  return int(max(int64_t(0), min(int64_t(kLaneBytes), bytes)));
}

// The mask of a lane's bytes, the first at `at`, that are in [begin, end).
__device__ __forceinline__ uint32_t mask_between(int64_t at, int64_t begin, int64_t end) {
  return low_bits(within_lane(end - at)) & ~low_bits(within_lane(begin - at));
}

// All bits of the bytes whose bits are set in `mask`, of 4 bits.
__device__ __forceinline__ uint32_t bytes_of_mask(uint32_t mask) { return (mask * 0x00204081u & 0x01010101u) * 0xFF; }

// Four bytes at data[at], those that are in `mask`; touches no others. Rare: it may be slow, but not take registers.
__device__ __forceinline__ uint32_t load_bytes(const uint8_t* __restrict__ data, int64_t at, uint32_t mask) {
  uint32_t word = 0;
#pragma unroll 1
  for (int k = 0; k < 4; ++k) word |= mask >> k & 1 ? uint32_t(data[at + k]) << (8 * k) : 0;
  return word;
}

__device__ __forceinline__ Window load_aligned(const uint8_t* __restrict__ data, int64_t at) {
  const uint4 loaded = *reinterpret_cast<const uint4*>(data + at);
  return {{loaded.x, loaded.y, loaded.z, loaded.w}};
}

// The bytes of a lane, the first at `at`, of a window; spaces take the place of those not in [begin,
// end). Touches nothing outside of the buffer's `size` bytes.
__device__ __forceinline__ Window load_window(const uint8_t* __restrict__ data, int64_t size, int64_t at, int64_t begin,
                                              int64_t end) {
  if (at >= begin && at + kLaneBytes <= end) return load_aligned(data, at);
  Window window{{0, 0, 0, 0}};
  const uint32_t kept = mask_between(at, begin, end);
  if (at >= 0 && at + kLaneBytes <= size) {
    window = load_aligned(data, at);
  } else if (kept) {
#pragma unroll
    for (int k = 0; k < 4; ++k) window.word[k] = load_bytes(data, at + 4 * k, kept >> (4 * k));
  }
#pragma unroll
  for (int k = 0; k < 4; ++k) {
    const uint32_t bytes = bytes_of_mask(kept >> (4 * k) & 0xF);
    window.word[k] = (window.word[k] & bytes) | (kSpaces & ~bytes);
  }
  return window;
}

// What the lane before brings; the first lane gets what the last lane gives as of the window before.
template <class T>
__device__ __forceinline__ T from_lane_before(T here, T window_before) {
  const int lane = lane_index();
  return __shfl_sync(kAllLanes, lane == 31 ? window_before : here, (lane + 31) & 31);
}
