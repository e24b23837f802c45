// Documents that are not well-formed UTF-8; gpucurate/ops/utf8/contract.py has the interface.
//
// Contract
//   Text is any bytes, in chunks (text.cuh): data has `size` of them. The caller fills invalid,
//   uint8[documents], with 0.
//
// Distribution of work
//   One warp per chunk, persistent grid of blocks of 256 threads; windows of 512 bytes, 16 to a lane
//   (windows.cuh). What is wrong is seen at the byte after a cut character at the latest, so the last
//   chunk of a document looks one byte further, at a space. A chunk begins with the four bytes before
//   it, as far as they are of the document.
//
// Cost model
//   ASCII: one load and about twenty instructions for 16 bytes: memory binds. Other windows: about a
//   hundred and fifty. A chunk that does not begin at a sector of memory has a window more than its bytes need.

#include "text.cuh"
#include "utf8.cuh"
#include "windows.cuh"

// The four bytes before data[at], spaces in place of those before `begin`.
__device__ __forceinline__ uint32_t word_before(const uint8_t* __restrict__ data, int64_t at, int64_t begin) {
  const uint32_t kept = mask_between(at - 4, begin, at) & 0xF, bytes = bytes_of_mask(kept);
  return kept ? load_bytes(data, at - 4, kept) | (kSpaces & ~bytes) : kSpaces;
}

extern "C" __global__ void __launch_bounds__(256) valid_utf8(
    const uint8_t* __restrict__ data, const int64_t* __restrict__ offsets, const int64_t* __restrict__ first_chunk,
    const int32_t* __restrict__ chunk_document, int64_t chunks, int chunk_bytes, int64_t size, uint8_t* invalid) {
  const ChunkList list{offsets, offsets + 1, first_chunk, chunk_document, chunk_bytes};
  for (int64_t number = warp_index(); number < chunks; number += warp_count()) {
    const Chunk chunk = list[number];
    const int64_t stop = chunk.end + (chunk.end == chunk.stop);
    int64_t start = window_start(data, chunk.at);
    uint32_t last_word = word_before(data, start, chunk.start);
    bool is_bad = false;
    for (; start < stop; start += kWindowBytes) {
      const int64_t at = start + kLaneBytes * lane_index();
      const Window window = load_window(data, size, at, chunk.start, chunk.stop);
      const uint32_t before = from_lane_before(window.word[3], last_word);
      last_word = window.word[3];
      const uint32_t high = (window.word[0] | window.word[1] | window.word[2] | window.word[3] | before) & kFlags;
      if (!__any_sync(kAllLanes, high != 0)) continue;
      is_bad |= mask_malformed(before, window) != 0;  // of whichever chunk: the document is the same
    }
    if (__any_sync(kAllLanes, is_bad) && lane_index() == 0) invalid[chunk.document] = 1;
  }
}
