// What a JSON line consists of besides strings: numbers and words, as gpucurate/ops/json_lines/scan.py
// takes them. All lanes of a warp do the same.
#pragma once
#include "portable.cuh"

constexpr int64_t kNoToken = -1;
constexpr int kMostDigits = 18, kMostExponentDigits = 2;

__device__ __forceinline__ bool is_json_space(uint32_t byte) { return byte == ' ' || byte == '\t' || byte == '\r'; }
__device__ __forceinline__ bool is_digit(uint32_t byte) { return byte - '0' < 10u; }

__device__ __forceinline__ int64_t digits_end(const uint8_t* __restrict__ data, int64_t at, int64_t stop) {
  while (at < stop && is_digit(data[at])) ++at;
  return at;
}

// The end of the number at `at`; kNoToken if it is none, or has many digits or a large exponent.
__device__ __forceinline__ int64_t number_end(const uint8_t* __restrict__ data, int64_t at, int64_t stop) {
  const int64_t first = at + (data[at] == '-');
  at = digits_end(data, first, stop);
  if (at == first || at - first > kMostDigits || (data[first] == '0' && at - first > 1)) return kNoToken;
  if (at < stop && data[at] == '.') {
    const int64_t fraction = at + 1;
    at = digits_end(data, fraction, stop);
    if (at == fraction) return kNoToken;
  }
  if (at < stop && (data[at] | 0x20) == 'e') {
    int64_t exponent = at + 1;
    exponent += exponent < stop && (data[exponent] == '+' || data[exponent] == '-');
    at = digits_end(data, exponent, stop);
    if (at == exponent || at - exponent > kMostExponentDigits) return kNoToken;
  }
  return at;
}

__device__ __forceinline__ bool spells4(const uint8_t* __restrict__ data, int64_t at, int64_t stop, uint32_t letters) {
  if (at + 4 > stop) return false;
  return (data[at] | data[at + 1] << 8 | data[at + 2] << 16 | uint32_t(data[at + 3]) << 24) == letters;
}

// The end of true, false or null at `at`, or kNoToken.
__device__ __forceinline__ int64_t literal_end(const uint8_t* __restrict__ data, int64_t at, int64_t stop) {
  constexpr uint32_t kTrue = 0x65757274, kNull = 0x6C6C756E, kAlse = 0x65736C61;  // little-endian
  if (spells4(data, at, stop, kTrue) || spells4(data, at, stop, kNull)) return at + 4;
  return data[at] == 'f' && spells4(data, at + 1, stop, kAlse) ? at + 5 : kNoToken;
}
