// Code points of each document; gpucurate/ops/char_length/contract.py has the interface.
//
// Contract
//   Text is valid UTF-8 in chunks (text.cuh). The caller fills lengths, int64[documents], with 0.
//
// Distribution of work
//   One warp per chunk, persistent grid of blocks of 256 threads. Each lane counts in words of
//   eight bytes those that continue a character; one atomic addition a chunk.
//
// Cost model
//   About ten instructions and one load for 8 bytes: memory binds. A chunk adds 8 bytes of atomics.

#include "text.cuh"
#include "warp.cuh"

extern "C" __global__ void __launch_bounds__(256) char_length(
    const uint8_t* __restrict__ data, const int64_t* __restrict__ offsets, const int64_t* __restrict__ first_chunk,
    const int32_t* __restrict__ chunk_document, int64_t chunks, int chunk_bytes, int64_t* lengths) {
  const ChunkList list{offsets, offsets + 1, first_chunk, chunk_document, chunk_bytes};
  for (int64_t number = warp_index(); number < chunks; number += warp_count()) {
    const Chunk chunk = list[number];
    int continuing = 0;
    for (int64_t at = chunk.at + 8 * lane_index(); at < chunk.end; at += 256) {
      const uint64_t word = word_at(data, at, chunk.end);
      continuing += __popcll(word & ~(word << 1) & 0x8080808080808080ull);  // 10xxxxxx
    }
    const int characters = int(chunk.end - chunk.at) - warp_sum(continuing);
    if (lane_index() == 0) add_atomically(reinterpret_cast<uint64_t*>(lengths + chunk.document), uint64_t(characters));
  }
}
