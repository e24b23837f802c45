// Where a JSON string ends: what string_end of gpucurate/ops/json_lines/values.py does, by a warp.
//
// The string is taken in windows. Its end is the first quote that is not escaped; what is wrong
// before it is noted on the way. Halves of surrogate pairs are counted: each first half is seen to be followed by
// a second one, so that all second halves have a first one if there are as many of both.
#pragma once
#include "json_escapes.cuh"
#include "utf8.cuh"

// What is known of a string so far; the counts are those of this lane's bytes.
struct StringState {
  EscapeFinder escapes;
  bool has_escapes = false;        // the same in all lanes
  bool ends_in_character = false;  // whether the last lane's bytes are not all ASCII; the same in all lanes
  uint32_t last_word = kSpaces;    // the last bytes of this lane
  int saved = 0, unpaired = 0;
  bool is_bad = false;
};

struct StringEnd {
  int64_t end;    // of the closing quote; -1 if the string is unusual
  int64_t saved;  // bytes by which it is shorter without escapes
};

// Checks the escapes whose second bytes are `escaped`, and counts what they save.
__device__ __forceinline__ void check_escapes(const uint8_t* __restrict__ data, int64_t at, int64_t stop,
                                              uint32_t escaped, StringState& state) {
  for (; escaped; escaped &= escaped - 1) {
    const int64_t place = at + __ffs(int(escaped)) - 1;
    const uint32_t letter = place < stop ? data[place] : 0;
    if (letter != 'u') {
      state.saved += 1;
      state.is_bad |= meaning_of(letter) == 0;
      continue;
    }
    const uint32_t unit = hex4(data, place + 1, stop);
    state.saved += 6 - bytes_of_unit(unit);
    state.is_bad |= unit == kNotHex;
    if (is_low_surrogate(unit)) state.unpaired -= 1;
    if (!is_high_surrogate(unit)) continue;
    state.unpaired += 1;
    state.is_bad |= !is_low_surrogate(escaped_unit(data, place + 5, stop));
  }
}

// Takes in a window whose bytes of this lane begin at `at`. The number of the lane with the closing quote,
// and its place in that lane; 32 if the string goes on.
__device__ __forceinline__ int take_window(const uint8_t* __restrict__ data, int64_t at, int64_t stop,
                                           const Window& window, StringState& state, int& place) {
  uint32_t ends = 0, backslash = 0, high = 0;
#pragma unroll
  for (int k = 0; k < 4; ++k) {
    const uint32_t word = window.word[k];
    ends |= flag_equal(word, kQuote) | flag_control(word);
    backslash |= flag_equal(word, kBackslash);
    high |= word & kFlags;
  }
  const bool has_backslash = __any_sync(kAllLanes, backslash != 0) || state.escapes.first_is_escaped;
  const unsigned with_high = __ballot_sync(kAllLanes, high != 0);
  const bool has_characters = with_high || state.ends_in_character;
  const uint32_t word_before = state.last_word;
  state.last_word = window.word[3];
  state.ends_in_character = with_high >> 31;
  if (!has_backslash && !has_characters && !__any_sync(kAllLanes, ends != 0)) return 32;

  uint32_t escaped = 0;
  if (has_backslash) state.escapes.next(window.mask_equal(kBackslash), escaped);
  const uint32_t closing = window.mask_equal(kQuote) & ~escaped;
  const unsigned with_closing = __ballot_sync(kAllLanes, closing != 0);
  const int last = with_closing ? __ffs(int(with_closing)) - 1 : 32;
  const uint32_t own = closing & (0 - closing), through = own | (own - 1);  // all bytes if it has no quote
  const uint32_t counted = lane_index() <= last ? through & 0xFFFFu : 0;
  state.is_bad |= (window.mask_control() & counted) != 0;
  if (has_characters) {
    const uint32_t before = from_lane_before(window.word[3], word_before);
    state.is_bad |= (mask_malformed(before, window) & counted) != 0;
  }
  if (has_backslash) {
    state.has_escapes = true;
    check_escapes(data, at, stop, escaped & counted, state);
  }
  if (last < 32) place = __shfl_sync(kAllLanes, __ffs(int(closing)) - 1, last);
  return last;
}

// The end of the string whose first byte is at `begin`, within [begin, stop) of a buffer of `size`
// bytes. All lanes call it, and get the same.
__device__ __forceinline__ StringEnd string_end(const uint8_t* __restrict__ data, int64_t size, int64_t begin,
                                                int64_t stop) {
  const int lane_at = kLaneBytes * lane_index();
  StringState state;
  int64_t start = window_start(data, begin);
  Window next = load_window(data, size, start + lane_at, begin, stop);
  int last = 32, place = 0;
  for (; start < stop; start += kWindowBytes) {
    const Window window = next;
    next = load_window(data, size, start + kWindowBytes + lane_at, begin, stop);  // before it is needed
    last = take_window(data, start + lane_at, stop, window, state, place);
    if (last < 32) break;
  }
  if (last == 32 || __any_sync(kAllLanes, state.is_bad)) return {-1, 0};
  const int64_t end = start + kLaneBytes * last + place;
  if (!state.has_escapes) return {end, 0};
  if (warp_sum(state.unpaired) != 0) return {-1, 0};
  return {end, warp_sum(int64_t(state.saved))};
}
