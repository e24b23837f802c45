// Well-formed UTF-8, four bytes at a time (RFC 3629; table 3-7 of the Unicode Standard).
//
// What is said of a byte stands in its highest bit; the other bits mean nothing.
#pragma once
#include "windows.cuh"

// Bytes that begin characters of at least two, three or four bytes.
__device__ __forceinline__ uint32_t begins_2(uint32_t word) { return word & word << 1; }
__device__ __forceinline__ uint32_t begins_3(uint32_t word) { return begins_2(word) & word << 2; }
__device__ __forceinline__ uint32_t begins_4(uint32_t word) { return begins_3(word) & word << 3; }

// Bytes that no character has: C0, C1, F5 to FF.
__device__ __forceinline__ uint32_t never_appears(uint32_t word) {
  const uint32_t b5 = word << 2, b4 = word << 3, b3 = word << 4, b2 = word << 5, b1 = word << 6, b0 = word << 7;
  return (begins_2(word) & ~(b5 | b4 | b3 | b2 | b1)) | (begins_4(word) & (b3 | (b2 & (b1 | b0))));
}

// Continuations that do not fit the lead they follow: they make it overlong (after E0 and F0), a
// surrogate (ED) or larger than U+10FFFF (F4). `lead` has the byte before each of `word`.
__device__ __forceinline__ uint32_t misfits(uint32_t lead, uint32_t word) {
  const uint32_t b4 = lead << 3, b3 = lead << 4, b2 = lead << 5, b1 = lead << 6, b0 = lead << 7;
  const uint32_t of3 = begins_3(lead) & ~b4, of4 = begins_4(lead), is_0 = ~(b3 | b2 | b1 | b0);
  const uint32_t from_a0 = word << 2, from_90 = word << 2 | word << 3;  // of continuations
  return (of3 & is_0 & ~from_a0) | (of3 & b3 & b2 & ~b1 & b0 & from_a0) | (of4 & is_0 & ~from_90) |
         (of4 & ~b3 & b2 & from_90);
}

// Flags of the bytes of a word at which the text is seen not to be well-formed, given the word before it:
// those that never appear, continuations without a lead, and what follows a lead but should not.
__device__ __forceinline__ uint32_t flag_malformed(uint32_t before, uint32_t word) {
  const uint32_t lead = __funnelshift_l(before, word, 8);
  const uint32_t expected = begins_2(lead) | begins_3(__funnelshift_l(before, word, 16)) |
                            begins_4(__funnelshift_l(before, word, 24));
  const uint32_t continues = word & ~(word << 1);
  return ((expected ^ continues) | misfits(lead, word) | never_appears(word)) & kFlags;
}

// The mask of such bytes of a lane, given the four bytes before its own.
__device__ __forceinline__ uint32_t mask_malformed(uint32_t before, const Window& window) {
  const uint32_t flags[4] = {flag_malformed(before, window.word[0]), flag_malformed(window.word[0], window.word[1]),
                             flag_malformed(window.word[1], window.word[2]),
                             flag_malformed(window.word[2], window.word[3])};
  return mask_of_flags(flags);
}
