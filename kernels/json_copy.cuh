// JSON strings without their escapes, copied by a warp.
#pragma once
#include "json_escapes.cuh"
#include "windows.cuh"

constexpr int kMostBytesOfWindow = kWindowBytes + 4;  // an escape at its end may write 4 bytes

// A warp's bytes on their way to memory, so that it writes whole words of what its lanes make.
struct CopyBuffer {
  uint32_t* words;  // shared; room for kMostBytesOfWindow and 4 more

  __device__ __forceinline__ uint8_t* bytes() const { return reinterpret_cast<uint8_t*>(words); }

  // Bytes from the word that holds *to to it: where the first byte belongs in the buffer.
  static __device__ __forceinline__ int phase(const uint8_t* to) { return int(reinterpret_cast<size_t>(to) & 3); }

  // Writes `count` bytes to `to`.
  __device__ __forceinline__ void flush(uint8_t* to, int count) const {
    const int first = phase(to), stop = first + count;
    __syncwarp();
    for (int at = 4 * lane_index(); at < stop; at += 128) {
      if (at >= first && at + 4 <= stop) {
        *reinterpret_cast<uint32_t*>(to - first + at) = words[at / 4];
      } else {
#pragma unroll 1  // for the ends only
        for (int k = max(at, first); k < min(at + 4, stop); ++k) to[k - first] = bytes()[k];
      }
    }
    __syncwarp();
  }
};

// Copies data[begin .. end) to `to`: as far as it can in blocks of 16 bytes of what is written, each made of five
// words of what is read.
__device__ __forceinline__ void copy_run(const uint8_t* __restrict__ data, int64_t size, int64_t begin, int64_t end,
                                         uint8_t* to) {
  const int lane = lane_index();
  const int64_t body = min(end, begin + int64_t((0 - reinterpret_cast<size_t>(to)) & (kLaneBytes - 1)));
  const int ahead = int(reinterpret_cast<size_t>(data + body) & 3);
  const int64_t readable = min(end, size + ahead - 4) - body;  // no word ends behind the buffer
  const int64_t tail = body + (max(readable, int64_t(0)) & ~int64_t(kLaneBytes - 1));
  if (begin + lane < body) to[lane] = data[begin + lane];
  const uint8_t* from = data + body - ahead + kLaneBytes * lane;
  for (int64_t at = body + kLaneBytes * lane; at < tail; at += kWindowBytes, from += kWindowBytes) {
    const uint32_t* words = reinterpret_cast<const uint32_t*>(from);
    uint32_t read[5];
#pragma unroll
    for (int k = 0; k < 5; ++k) read[k] = words[k];
    const int by = 8 * ahead;
    *reinterpret_cast<uint4*>(to + (at - begin)) =
        make_uint4(__funnelshift_r(read[0], read[1], by), __funnelshift_r(read[1], read[2], by),
                   __funnelshift_r(read[2], read[3], by), __funnelshift_r(read[3], read[4], by));
  }
#pragma unroll 1
  for (int64_t at = tail + lane; at < end; at += 32) to[at - begin] = data[at];
}

// Writes a code point in UTF-8 of `count` bytes.
__device__ __forceinline__ void put_code_point(uint8_t* to, uint32_t point, int count) {
  const uint32_t leads = 0xF0E0C000u;  // of characters of 4, 3, 2 and 1 bytes
  for (int k = count - 1; k > 0; --k, point >>= 6) to[k] = uint8_t(0x80 | (point & 0x3F));
  to[0] = uint8_t((leads >> (8 * (count - 1)) & 0xFF) | point);
}

// Writes what the escape stands for whose second byte is at `place`; `unit` is that of a \u.
__device__ __forceinline__ void put_escape(const uint8_t* __restrict__ data, int64_t place, int64_t end, uint8_t* to) {
  const uint32_t letter = data[place];
  if (letter != 'u') {
    *to = uint8_t(meaning_of(letter));
    return;
  }
  uint32_t point = hex4(data, place + 1, end);
  const int count = bytes_of_unit(point);
  if (count == 0) return;
  if (count == 4) point = 0x10000 + ((point - 0xD800) << 10) + (hex4(data, place + 7, end) - 0xDC00);
  put_code_point(to, point, count);
}

// The mask of the bytes that the escapes of a lane write, if each writes from its second byte on: a \uXXXX
// has four digits behind that, and writes at most four bytes. `units`: the letters u.
__device__ __forceinline__ uint32_t mask_written(const uint8_t* __restrict__ data, int64_t at, int64_t end,
                                                 uint32_t units) {
  uint32_t written = 0;
  for (; units; units &= units - 1) {
    const int k = __ffs(int(units)) - 1;
    written |= low_bits(bytes_of_unit(hex4(data, at + k + 1, end))) << k;
  }
  return written;
}

// Copies the string data[begin .. end), which the scan passed, without its escapes to `to`.
__device__ __forceinline__ void copy_escaped(const uint8_t* __restrict__ data, int64_t size, int64_t begin, int64_t end,
                                             uint8_t* to, const CopyBuffer& buffer) {
  EscapeFinder finder;
  uint32_t digits = 0;  // that a \u in the window before has in the lane after this one
  for (int64_t start = window_start(data, begin); start < end; start += kWindowBytes) {
    const int64_t at = start + kLaneBytes * lane_index();
    const Window window = load_window(data, size, at, begin, end);
    const uint32_t backslashes = window.mask_equal(kBackslash);
    uint32_t escaped;
    const uint32_t begins = finder.next(backslashes, escaped), units = escaped & window.mask_equal('u');
    const uint32_t own_digits = units << 1 | units << 2 | units << 3 | units << 4;
    const uint32_t digits_before = from_lane_before(own_digits >> 16, digits);
    digits = own_digits >> 16;

    const uint32_t kept = mask_between(at, begin, end) & ~(begins | own_digits | digits_before);
    const uint32_t written = (kept & ~units) | mask_written(data, at, end, units);
    int total;
    const int place = sum_before(__popc(written), total);
    uint8_t* const room = buffer.bytes() + CopyBuffer::phase(to) + place;
    const uint32_t plain = kept & ~escaped;
#pragma unroll
    for (int k = 0; k < kLaneBytes; ++k) {
      if (plain >> k & 1) room[__popc(written & low_bits(k))] = uint8_t(window.word[k / 4] >> (k % 4 * 8));
    }
    for (uint32_t rest = escaped & kept; rest; rest &= rest - 1) {
      const int k = __ffs(int(rest)) - 1;
      put_escape(data, at + k, end, room + __popc(written & low_bits(k)));
    }
    buffer.flush(to, total);
    to += total;
  }
}
