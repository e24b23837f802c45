// Lines of JSON, the values of some of their fields, and strings without escapes;
// gpucurate/ops/json_lines/contract.py has the interface, cpu.py the same on the CPU.
//
// Contract
//   data is any `size` bytes. A line ends with LF or with the data. A line passes the scan if it is an
//   object in UTF-8 that is well-formed and usual; found, int64[lines, fields, 4], is filled with 0 by
//   the caller, and stays 0 for lines that do not pass. Strings to be copied are such as the scan found.
//
// Distribution of work
//   Persistent grid of blocks of 256 threads. Lines are found in two passes, one warp per chunk: newlines are
//   counted, then, after the caller's prefix sum, written. Scanning and copying take one warp per line or
//   string, in windows of 512 bytes, 16 to a lane. Between strings all lanes follow one state machine,
//   byte by byte. In a string votes find quotes, backslashes and what is not ASCII; only windows that have
//   some are looked at closely, each lane at its own escapes. A line is one warp's work however
//   long it is: time is linear in its length, but a batch of very few long lines leaves a GPU idle.
//
// Cost model
//   Counted in the machine code for sm_90, for a window of 512 bytes, in instructions of the warp. Scanning: 110
//   if it is plain ASCII within a string; with escapes 180 more, and 50 for each escape of the lane that has most;
//   with other characters 230 more; 60 more where a string begins or ends. A byte between strings: 70 to 90. Copying:
//   50 for 512 bytes without escapes, else about 440 and 50 to 250 for each escape of the lane that has most. So a line
//   of 5 KB of English with four fields takes some 5000 to scan and as many to copy, two a byte together.
//   Memory: finding reads the data twice and writes 17 bytes a line; scanning reads it once (the next
//   window's 4 x 128 bytes are asked for before this one is looked at, by each of 32 warps of a multiprocessor),
//   and writes 32 bytes a field; copying reads and writes each string once.

#include "json_copy.cuh"
#include "json_scan.cuh"
#include "text.cuh"

namespace {

constexpr uint64_t kBytes = 0x0101010101010101ull;

// Flags of the newlines among eight bytes.
__device__ __forceinline__ uint64_t flag_newlines(uint64_t word) {
  const uint64_t other = word ^ '\n' * kBytes, low = 0x7F * kBytes;
  return ~(((other & low) + low) | other) & 0x80 * kBytes;
}

}  // namespace

// counts: int32[chunks], the lines that end in each chunk; the last one may end without LF.
extern "C" __global__ void __launch_bounds__(256) count_lines(const uint8_t* __restrict__ data, int64_t size,
                                                              int64_t chunks, int chunk_bytes, int32_t* counts) {
  for (int64_t chunk = warp_index(); chunk < chunks; chunk += warp_count()) {
    const int64_t end = min((chunk + 1) * chunk_bytes, size);
    int count = 0;
    for (int64_t at = chunk * chunk_bytes + 8 * lane_index(); at < end; at += 256) {
      count += __popcll(flag_newlines(word_at(data, at, end)));
    }
    count = warp_sum(count);
    if (lane_index() == 0) counts[chunk] = count + (end == size && data[size - 1] != '\n');
  }
}

// places: int64[chunks + 1], sums of counts before each chunk; starts, stops: int64[places[chunks]].
extern "C" __global__ void __launch_bounds__(256) write_lines(const uint8_t* __restrict__ data, int64_t size,
                                                              int64_t chunks, int chunk_bytes,
                                                              const int64_t* __restrict__ places, int64_t* starts,
                                                              int64_t* stops) {
  const int64_t lines = places[chunks];
  for (int64_t chunk = warp_index(); chunk < chunks; chunk += warp_count()) {
    const int64_t begin = chunk * chunk_bytes, end = min(begin + chunk_bytes, size);
    int64_t line = places[chunk];
    if (chunk == 0 && lane_index() == 0) starts[0] = 0;
    for (int64_t window = begin; window < end; window += 256) {
      const int64_t at = window + 8 * lane_index();
      uint64_t flags = at < end ? flag_newlines(word_at(data, at, end)) : 0;
      if (!__any_sync(kAllLanes, flags != 0)) continue;
      int total;
      int64_t own = line + sum_before(__popcll(flags), total);
      for (; flags; flags &= flags - 1, ++own) {
        const int64_t stop = at + __popcll((flags & (0 - flags)) - 1) / 8;
        stops[own] = stop;
        if (own + 1 < lines) starts[own + 1] = stop + 1;
      }
      line += total;
    }
    if (end == size && lane_index() == 0 && data[size - 1] != '\n') stops[line] = size;
  }
}

// blank: bool[lines], whether a line has nothing but spaces, tabs and CRs.
extern "C" __global__ void __launch_bounds__(256) mark_blank(const uint8_t* __restrict__ data, int64_t size,
                                                             const int64_t* __restrict__ starts,
                                                             const int64_t* __restrict__ stops, int64_t lines,
                                                             uint8_t* blank) {
  for (int64_t line = warp_index(); line < lines; line += warp_count()) {
    const int64_t begin = starts[line], end = stops[line];
    bool is_blank = begin == end || is_json_space(data[begin]);  // of most lines that is the answer
    for (int64_t start = window_start(data, begin); is_blank && start < end; start += kWindowBytes) {
      const Window window = load_window(data, size, start + kLaneBytes * lane_index(), begin, end);
      const uint32_t spaces = window.mask_equal(' ') | window.mask_equal('\t') | window.mask_equal('\r');
      is_blank = __all_sync(kAllLanes, spaces == 0xFFFF);
    }
    if (lane_index() == 0) blank[line] = is_blank;
  }
}

// keys, key_offsets: int64[fields + 1], at most 32 names; found: int64[lines, fields, 4]; passed: bool[lines].
extern "C" __global__ void __launch_bounds__(256, 4) scan_fields(
    const uint8_t* __restrict__ data, int64_t size, const int64_t* __restrict__ starts,
    const int64_t* __restrict__ stops, int64_t lines, const uint8_t* __restrict__ keys,
    const int64_t* __restrict__ key_offsets, int fields, int only, int max_depth, int64_t* found, uint8_t* passed) {
  const int lane = lane_index();
  const int begin = int(key_offsets[min(lane, fields)]);
  const Keys wanted{keys, begin, lane < fields ? int(key_offsets[lane + 1]) - begin : -1};
  for (int64_t line = warp_index(); line < lines; line += warp_count()) {
    const Values values{found + 4 * fields * line};
    const bool passes = scan_line(data, size, starts[line], stops[line], wanted, only != 0, max_depth, values);
    if (!passes) values.forget(fields);
    if (lane == 0) passed[line] = passes;
  }
}

// found: int64[rows, 4]; offsets: int64[rows + 1], where in out each string begins and ends.
extern "C" __global__ void __launch_bounds__(256, 4) copy_strings(const uint8_t* __restrict__ data, int64_t size,
                                                               const int64_t* __restrict__ found, int64_t rows,
                                                               const int64_t* __restrict__ offsets, uint8_t* out) {
  __shared__ uint32_t shared[kWarpsPerBlock][kMostBytesOfWindow / 4 + 1];
  const CopyBuffer buffer{shared[threadIdx.x >> 5]};
  for (int64_t row = warp_index(); row < rows; row += warp_count()) {
    const int64_t kind = found[4 * row], begin = found[4 * row + 1], end = found[4 * row + 2];
    if (kind == kPlain) copy_run(data, size, begin, end, out + offsets[row]);
    if (kind == kEscaped) copy_escaped(data, size, begin, end, out + offsets[row], buffer);
  }
}
