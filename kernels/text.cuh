// Text as kernels see it: UTF-8 documents in one buffer, cut into chunks, one warp a chunk.
//
// Document d is data[offsets[d] .. offsets[d+1]), valid UTF-8. It has ceil(bytes / chunk_bytes)
// chunks, at least one; first_chunk counts those before each document, chunk_document names
// the document of each. Lengths of documents are skewed, chunks are not.
#pragma once
#include "portable.cuh"

constexpr uint32_t kNoCharacter = 0xffffffffu;

// One chunk, [at, end), of the document [start, stop).
struct Chunk {
  int64_t start, stop, at, end;
  int32_t document;
};

// The list of all chunks; gpucurate/ops/cuda/text.py makes it. Document d is
// data[starts[d] .. stops[d]): of a whole column stops is starts + 1.
struct ChunkList {
  const int64_t* __restrict__ starts;
  const int64_t* __restrict__ stops;
  const int64_t* __restrict__ first_chunk;
  const int32_t* __restrict__ chunk_document;
  int chunk_bytes;

  __device__ __forceinline__ Chunk operator[](int64_t number) const {
    Chunk chunk;
    chunk.document = chunk_document[number];
    chunk.start = starts[chunk.document];
    chunk.stop = stops[chunk.document];
    chunk.at = chunk.start + (number - first_chunk[chunk.document]) * chunk_bytes;
    chunk.end = min(chunk.at + chunk_bytes, chunk.stop);
    return chunk;
  }

  __device__ __forceinline__ int64_t chunks_of(int32_t document) const {
    return first_chunk[document + 1] - first_chunk[document];
  }
};

__device__ __forceinline__ bool begins_character(uint8_t byte) { return (byte & 0xC0) != 0x80; }

// The code point at data[at], moving `at` behind it; reads nothing from `stop` on.
__device__ __forceinline__ uint32_t next_code_point(const uint8_t* __restrict__ data, int64_t& at, int64_t stop) {
  const uint32_t lead = data[at++];
  if (lead < 0x80) return lead;
  const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
  uint32_t point = lead & (0x3Fu >> more);
  for (int k = 0; k < more; ++k, ++at) point = point << 6 | (at < stop ? data[at] & 0x3Fu : 0u);
  return point;
}

__device__ __forceinline__ uint32_t code_point_at(const uint8_t* __restrict__ data, int64_t at, int64_t stop) {
  return next_code_point(data, at, stop);
}

// The code point that begins last before `at`, or kNoCharacter.
__device__ __forceinline__ uint32_t code_point_before(const uint8_t* __restrict__ data, int64_t at, int64_t start,
                                                      int64_t stop) {
  while (at > start) {
    if (begins_character(data[--at])) return code_point_at(data, at, stop);
  }
  return kNoCharacter;
}

// The eight bytes at data[at] as a little-endian word, those from `stop` on as 0. Reads whole
// aligned words, the first of which may begin before `at`, and none that ends behind `stop`.
__device__ __forceinline__ uint64_t word_at(const uint8_t* __restrict__ data, int64_t at, int64_t stop) {
  const size_t address = reinterpret_cast<size_t>(data + at);
  const int ahead = int(address & 7);
  if (at - ahead + (ahead ? 16 : 8) > stop) {
    uint64_t word = 0;
    for (int k = 0; k < 8 && at + k < stop; ++k) word |= uint64_t(data[at + k]) << (8 * k);
    return word;
  }
  const uint64_t* aligned = reinterpret_cast<const uint64_t*>(address - ahead);
  return ahead ? aligned[0] >> (8 * ahead) | aligned[1] << (64 - 8 * ahead) : aligned[0];
}

// Two-stage tables over code points (gpucurate/ops/unicode/tables.py).
template <class T>
struct UnicodeTable {
  const uint16_t* __restrict__ stage1;
  const T* __restrict__ stage2;

  __device__ __forceinline__ T operator[](uint32_t point) const {
    return stage2[uint32_t(stage1[point >> 8]) << 8 | (point & 0xFF)];
  }
};
