// Escapes of JSON strings (RFC 8259, section 7): where they are in a window, and what they stand for.
#pragma once
#include "windows.cuh"

constexpr uint32_t kQuote = '"', kBackslash = '\\', kNotHex = 0x10000;

// Finds the escapes of one window after the other. A backslash begins an escape unless it is itself the
// second byte of one.
struct EscapeFinder {
  unsigned first_is_escaped = 0;  // whether an escape begins with the last byte of the window before

  // The mask of a lane's backslashes that begin escapes, given its mask of backslashes; `escaped` is that
  // of the bytes behind them. All lanes call it.
  __device__ __forceinline__ uint32_t next(uint32_t backslashes, uint32_t& escaped) {
    const int run = __clz(int(~(backslashes << 16)));  // backslashes at the lane's end
    const unsigned partly = __ballot_sync(kAllLanes, run < kLaneBytes), odd = __ballot_sync(kAllLanes, run & 1);
    const unsigned before = partly & lanes_before();  // a lane of backslashes only hands on what it is given
    const uint32_t follows = before ? odd >> last_lane(before) & 1 : first_is_escaped;
    if (partly) first_is_escaped = odd >> last_lane(partly) & 1;
    uint32_t begins = 0;
    for (uint32_t rest = backslashes & ~follows; rest;) {
      const uint32_t lowest = rest & (0 - rest);
      begins |= lowest;
      rest &= ~(lowest | lowest << 1);
    }
    escaped = (begins << 1 | follows) & 0xFFFFu;
    return begins;
  }
};

// What a letter behind a backslash stands for; 0 if it is none of the short escapes.
__device__ __forceinline__ uint32_t meaning_of(uint32_t letter) {
  switch (letter) {
    case '"': case '\\': case '/': return letter;
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return 0;
  }
}

// The code unit of the four hexadecimal digits at data[at]; kNotHex if they are not, or do not end at `stop`.
__device__ __forceinline__ uint32_t hex4(const uint8_t* __restrict__ data, int64_t at, int64_t stop) {
  if (at + 4 > stop) return kNotHex;
  uint32_t unit = 0;
#pragma unroll
  for (int k = 0; k < 4; ++k) {
    const uint32_t byte = data[at + k], letter = (byte | 0x20) - 'a';
    const uint32_t digit = byte - '0' < 10u ? byte - '0' : letter < 6u ? letter + 10 : kNotHex;
    unit = digit == kNotHex || unit == kNotHex ? kNotHex : unit << 4 | digit;
  }
  return unit;
}

__device__ __forceinline__ bool is_high_surrogate(uint32_t unit) { return (unit & ~0x3FFu) == 0xD800; }
__device__ __forceinline__ bool is_low_surrogate(uint32_t unit) { return (unit & ~0x3FFu) == 0xDC00; }

// The low surrogate that is written at data[at], as an escape; else something that is none.
__device__ __forceinline__ uint32_t escaped_unit(const uint8_t* __restrict__ data, int64_t at, int64_t stop) {
  return at + 6 <= stop && data[at] == kBackslash && data[at + 1] == 'u' ? hex4(data, at + 2, stop) : kNotHex;
}

// Bytes in UTF-8 of a code unit's escape: a pair counts with its first half.
__device__ __forceinline__ int bytes_of_unit(uint32_t unit) {
  if (is_low_surrogate(unit)) return 0;
  return is_high_surrogate(unit) ? 4 : 1 + (unit >= 0x80) + (unit >= 0x800);
}
