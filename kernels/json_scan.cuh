// One JSON line by a warp: what scan_lines of gpucurate/ops/json_lines/scan.py does.
#pragma once
#include "json_string.cuh"
#include "json_tokens.cuh"

enum Kind { kMissing, kPlain, kEscaped, kNull, kOther };
enum State { kExpectValue, kAfterOpenObject, kExpectKey, kAfterOpenArray, kAfterValue };

// The wanted names, of which each lane knows where one lies.
struct Keys {
  const uint8_t* __restrict__ bytes;
  int begin, length;  // -1 where there is no name for this lane

  // The number of the name that is data[at .. at + size), or -1.
  __device__ __forceinline__ int find(const uint8_t* __restrict__ data, int64_t at, int64_t size) const {
    for (unsigned rest = __ballot_sync(kAllLanes, length == size); rest; rest &= rest - 1) {
      const int number = __ffs(int(rest)) - 1;
      const int name = __shfl_sync(kAllLanes, begin, number);
      bool is_equal = true;
      for (int64_t k = lane_index(); k < size; k += 32) is_equal &= data[at + k] == bytes[name + k];
      if (__all_sync(kAllLanes, is_equal)) return number;
    }
    return -1;
  }
};

// The values found in a line: KIND, BEGIN, END and SIZE of each field. The first lane writes.
struct Values {
  int64_t* found;

  __device__ __forceinline__ void set(int field, Kind kind, int64_t begin, int64_t end, int64_t size) const {
    if (lane_index() != 0) return;
    int64_t* value = found + 4 * field;
    value[0] = kind;
    value[1] = begin;
    value[2] = end;
    value[3] = size;
  }

  __device__ __forceinline__ void set_end(int field, int64_t end) const {
    if (lane_index() == 0) found[4 * field + 2] = end;
  }

  __device__ __forceinline__ void forget(int fields) const {
    __syncwarp();
    for (int k = lane_index(); k < 4 * fields; k += 32) found[k] = 0;
  }
};

__device__ __forceinline__ int64_t behind_spaces(const uint8_t* __restrict__ data, int64_t at, int64_t stop) {
  while (at < stop && is_json_space(data[at])) ++at;
  return at;
}

// Whether the line [at, stop) is well-formed and usual; what is found in it goes to `values`. max_depth: below 64.
__device__ __forceinline__ bool scan_line(const uint8_t* __restrict__ data, int64_t size, int64_t at, int64_t stop,
                                          const Keys& keys, bool only, int max_depth, const Values& values) {
  int depth = 0, field = -1;  // field: whose value is being read, at any depth
  uint64_t objects = 0;       // one bit per level: whether it is an object
  unsigned seen = 0;          // one bit per field
  State state = kExpectValue;
  while ((at = behind_spaces(data, at, stop)) < stop) {
    const uint32_t c = data[at];
    if ((c == '}' && state == kAfterOpenObject) || (c == ']' && state == kAfterOpenArray)) state = kAfterValue;
    const bool expects_key = state == kExpectKey || state == kAfterOpenObject;
    if (state == kAfterValue) {
      const bool in_object = objects >> depth & 1;
      if (depth == 0) return false;
      ++at;
      if (c == ',') {
        state = in_object ? kExpectKey : kExpectValue;
      } else if (c == (in_object ? '}' : ']')) {
        if (--depth == 1 && field >= 0) values.set_end(field, at);
      } else {
        return false;
      }
    } else if (c == '"' && depth > 0) {
      const int64_t begin = at + 1;
      const StringEnd string = string_end(data, size, begin, stop);
      if (string.end < 0 || (expects_key && string.saved)) return false;  // it may be a wanted name in disguise
      at = string.end + 1;
      state = kAfterValue;
      if (expects_key) {
        if (depth == 1) {
          field = keys.find(data, begin, string.end - begin);
          if (field < 0 ? only : seen >> field & 1) return false;
          if (field >= 0) seen |= 1u << field;
        }
        at = behind_spaces(data, at, stop);
        if (at >= stop || data[at] != ':') return false;
        ++at;
        state = kExpectValue;
      } else if (depth == 1 && field >= 0) {
        values.set(field, string.saved ? kEscaped : kPlain, begin, string.end, string.end - begin - string.saved);
      }
    } else if (expects_key) {
      return false;
    } else if (c == '{' || c == '[') {
      if (depth == 1 && field >= 0) values.set(field, kOther, at, 0, 0);
      ++depth;
      if (depth > max_depth || (depth == 1 && c == '[')) return false;
      objects = c == '{' ? objects | 1ull << depth : objects & ~(1ull << depth);
      state = c == '{' ? kAfterOpenObject : kAfterOpenArray;
      ++at;
    } else {
      if (depth == 0) return false;
      const int64_t begin = at;
      at = c == '-' || is_digit(c) ? number_end(data, at, stop) : literal_end(data, at, stop);
      if (at < 0) return false;
      if (depth == 1 && field >= 0) values.set(field, c == 'n' ? kNull : kOther, begin, at, 0);
      state = kAfterValue;
    }
  }
  return depth == 0 && state == kAfterValue;
}
