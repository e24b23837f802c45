// The shingles that begin in a chunk, hashed, 32 at a time: of characters, or with -DOF_WORDS=1
// of words. docs/algorithms.md has the definitions.
//
// A chunk owns the shingles whose first character, or the first character of whose first word,
// begins in it, and reads on for their ends. A document with fewer than `ngram` characters or
// words, but at least one, has one shingle: all of them.
//
// Characters: each lane hashes the shingle that begins at its byte; what begins none is squeezed
// out through shared memory (64 hashes a warp).
// Words: the 32 characters that begin at 32 bytes are folded into polynomials of words by one
// segmented scan, in which a word that runs on is carried: so a word may be as long as a
// document. Hashes of words wait in shared memory (320 for each warp) until there are 32 shingles.
// A document of fewer than ngram words is known by its last words: the chunk that meets the end of
// the document too early looks backwards whether any word came before its own.
//
// A Sink takes them: sink.absorb(hashes, count) is called by all lanes, with 1 to 32 hashes in the
// warp's shared memory, aligned to 16 bytes, whose entries behind `count` up to 32 it may overwrite.
#pragma once
#include "mixing.cuh"
#include "text.cuh"
#include "warp.cuh"

#ifndef OF_WORDS
#define OF_WORDS 0
#endif

constexpr int kMostWords = 320;  // 255 of the shingle before, up to 31 more, and those of 32 bytes
constexpr int kWord = 1, kSolo = 2;  // gpucurate/ops/unicode/tables.py

// Hashes of 32 bits, odd (ops/minhash), and of 64 bits, not 0 (ops/jaccard).
struct Hash32 {
  using Value = uint32_t;
  static constexpr Value kBase = 0x9E3779B1u;
  static __device__ __forceinline__ Value of_word(Value sum) { return fmix32(sum); }
  static __device__ __forceinline__ Value of_shingle(Value sum) { return fmix32(sum) | 1u; }
};

struct Hash64 {
  using Value = uint64_t;
  static constexpr Value kBase = 0x9E3779B97F4A7C15ull;
  static __device__ __forceinline__ Value of_word(Value sum) { return fmix64(sum); }
  static __device__ __forceinline__ Value of_shingle(Value sum) {
    const Value hash = fmix64(sum);
    return hash ? hash : 1;
  }
};

// A warp's shared memory.
template <class Value>
struct ShingleScratch {
  __align__(16) Value hashes[64];
#if OF_WORDS
  Value words[kMostWords];
#endif
};

// ---- characters ----------------------------------------------------------------------

// Collects one hash from each lane that has one, and hands them on as soon as there are 32.
template <class Value>
struct Queue {
  Value* hashes;  // 64
  int waiting = 0;
  bool has_any = false;

  template <class Sink>
  __device__ __forceinline__ void push(bool has, Value hash, Sink& sink) {
    const unsigned lanes = __ballot_sync(kAllLanes, has);
    if (has) hashes[waiting + __popc(lanes & lanes_before())] = hash;
    waiting += __popc(lanes);
    has_any |= lanes != 0;
    __syncwarp();
    if (waiting < 32) return;
    sink.absorb(hashes, 32);
    __syncwarp();
    waiting -= 32;
    const Value rest = hashes[32 + lane_index()];
    __syncwarp();
    hashes[lane_index()] = rest;
    __syncwarp();
  }

  template <class Sink>
  __device__ __forceinline__ void flush(Sink& sink) {
    if (waiting) sink.absorb(hashes, waiting);
    __syncwarp();
    waiting = 0;
  }
};

// Hash of the shingle that begins at `at` in the document [start, stop); false if none does.
template <class Hash>
__device__ __forceinline__ bool shingle_at(const uint8_t* __restrict__ data, int64_t at, int64_t start, int64_t stop,
                                           int ngram, typename Hash::Value& hash) {
  if (!begins_character(data[at])) return false;
  const bool is_first = at == start;
  typename Hash::Value sum = 0;
  for (int k = 0; k < ngram; ++k) {
    if (at >= stop) {
      if (!is_first) return false;  // a shorter end; at the very front it is the whole document
      break;
    }
    sum = sum * Hash::kBase + next_code_point(data, at, stop);
  }
  hash = Hash::of_shingle(sum);
  return true;
}

template <class Hash, class Sink>
__device__ __forceinline__ bool absorb_characters(const uint8_t* __restrict__ data, const Chunk& chunk, int ngram,
                                                  typename Hash::Value* hashes, Sink& sink) {
  Queue<typename Hash::Value> queue{hashes};
  for (int64_t at = chunk.at + lane_index(); at - lane_index() < chunk.end; at += 32) {
    typename Hash::Value hash = 0;
    const bool has = at < chunk.end && shingle_at<Hash>(data, at, chunk.start, chunk.stop, ngram, hash);
    queue.push(has, hash, sink);
  }
  queue.flush(sink);
  return queue.has_any;
}

// ---- words ---------------------------------------------------------------------------

// Where a scan stands: the polynomial of the word that runs on, if one does, and whether it
// began within the chunk or behind.
template <class Value>
struct OpenWord {
  Value sum = 0;
  bool is_open = false, is_own = false;
};

// Counts of a chunk's words: begun in it; ended so far, those behind it included; first words
// of shingles taken in.
struct Progress {
  int begun = 0, ended = 0, taken = 0;
};

// The polynomial at each lane's character, of the word that began last: the composition of
// p -> p * factor + sum over the lanes up to this one, on the word carried in.
template <class Value>
__device__ __forceinline__ Value scan_polynomials(Value factor, Value sum, Value carried) {
  for (int by = 1; by < 32; by <<= 1) {
    const Value earlier_factor = __shfl_up_sync(kAllLanes, factor, by);
    const Value earlier_sum = __shfl_up_sync(kAllLanes, sum, by);
    if (lane_index() < by) continue;
    sum += earlier_sum * factor;
    factor *= earlier_factor;
  }
  return carried * factor + sum;
}

// Takes in the 32 bytes at `at`: appends to `words` the hashes of the words that end there.
template <class Hash>
__device__ __forceinline__ int append_words(const uint8_t* __restrict__ data, int64_t at, const Chunk& chunk,
                                            const UnicodeTable<uint8_t>& classes,
                                            OpenWord<typename Hash::Value>& open, typename Hash::Value* words,
                                            Progress& progress) {
  using Value = typename Hash::Value;
  const int64_t place = at + lane_index();
  const bool begins = place < chunk.stop && begins_character(data[place]);
  const uint32_t point = begins ? code_point_at(data, place, chunk.stop) : 0;
  const int kind = begins ? int(classes[point]) : 0;
  const unsigned begun = __ballot_sync(kAllLanes, begins), in_words = __ballot_sync(kAllLanes, kind == kWord);
  const unsigned solos = __ballot_sync(kAllLanes, kind == kSolo), before = begun & lanes_before();
  const bool follows_word = before ? in_words >> last_lane(before) & 1 : open.is_open;
  const bool is_first = kind == kWord && !follows_word;
  const unsigned firsts = __ballot_sync(kAllLanes, is_first);
  const Value factor = kind != kWord ? 1 : is_first ? 0 : Hash::kBase;
  const Value sum = scan_polynomials<Value>(factor, kind == kWord ? point : 0, open.sum);

  const bool ends = begins && kind != kWord && follows_word && (open.is_own || (firsts & lanes_before()));
  const unsigned enders = __ballot_sync(kAllLanes, ends);
  const int slot = __popc(enders & lanes_before()) + __popc(solos & lanes_before());
  if (ends) words[slot] = Hash::of_word(sum);
  if (kind == kSolo) words[slot + ends] = Hash::of_word(point);

  const int64_t inside = chunk.end - at;
  const unsigned own = inside >= 32 ? kAllLanes : inside > 0 ? (1u << inside) - 1 : 0;
  const int ended = __popc(enders) + __popc(solos);
  progress.begun += __popc((firsts | solos) & own);
  progress.ended += ended;
  open.sum = __shfl_sync(kAllLanes, sum, 31);
  if (begun) open.is_open = in_words >> last_lane(begun) & 1;
  open.is_own |= firsts != 0;
  __syncwarp();
  return ended;
}

// Hashes the first `count` windows of `ngram` words into `hashes`, for all lanes to see.
template <class Hash>
__device__ __forceinline__ void hash_windows(const typename Hash::Value* words, int count, int ngram,
                                             typename Hash::Value* hashes) {
  const int lane = lane_index();
  if (lane < count) {
    typename Hash::Value sum = 0;
    for (int k = 0; k < ngram; ++k) sum = sum * Hash::kBase + words[lane + k];
    hashes[lane] = Hash::of_shingle(sum);
  }
  __syncwarp();
}

// Drops the first `count` of `waiting` words.
template <class Value>
__device__ __forceinline__ void drop_words(Value* words, int waiting, int count) {
  for (int k = lane_index(); k - lane_index() < waiting - count; k += 32) {
    const Value word = k < waiting - count ? words[k + count] : 0;
    __syncwarp();
    if (k < waiting - count) words[k] = word;
    __syncwarp();
  }
}

// Takes in shingles while there are at least `least` of them.
template <class Hash, class Sink>
__device__ __forceinline__ void absorb_windows(typename Hash::Value* words, int& waiting, int ngram, int least,
                                               typename Hash::Value* hashes, Progress& progress, Sink& sink) {
  for (;;) {
    const int ready = min(32, min(waiting - ngram + 1, progress.begun - progress.taken));
    if (ready < least) return;
    hash_windows<Hash>(words, ready, ngram, hashes);
    sink.absorb(hashes, ready);
    __syncwarp();
    drop_words(words, waiting, ready);
    waiting -= ready;
    progress.taken += ready;
  }
}

// Whether the document has a word that begins before the chunk.
__device__ __forceinline__ bool has_words_before(const uint8_t* __restrict__ data, const Chunk& chunk,
                                                 const UnicodeTable<uint8_t>& classes) {
  for (int64_t at = chunk.at - 1; at >= chunk.start; at -= 32) {
    const int64_t place = at - lane_index();
    bool is_word = false;
    if (place >= chunk.start && begins_character(data[place])) {
      const int kind = classes[code_point_at(data, place, chunk.stop)];
      is_word = kind == kWord || kind == kSolo;
    }
    if (__any_sync(kAllLanes, is_word)) return true;
  }
  return false;
}

template <class Hash, class Sink>
__device__ __forceinline__ bool absorb_words(const uint8_t* __restrict__ data, const Chunk& chunk, int ngram,
                                             const UnicodeTable<uint8_t>& classes, typename Hash::Value* words,
                                             typename Hash::Value* hashes, Sink& sink) {
  const uint32_t before = code_point_before(data, chunk.at, chunk.start, chunk.stop);
  OpenWord<typename Hash::Value> open;
  open.is_open = before != kNoCharacter && classes[before] == kWord;
  Progress progress;
  int waiting = 0;
  int64_t at = chunk.at;
  for (; at < chunk.end || (at < chunk.stop && progress.begun && progress.ended < progress.begun + ngram - 1); at += 32) {
    waiting += append_words<Hash>(data, at, chunk, classes, open, words + waiting, progress);
    absorb_windows<Hash>(words, waiting, ngram, 32, hashes, progress, sink);
  }
  if (at >= chunk.stop && open.is_open && open.is_own) {
    if (lane_index() == 0) words[waiting] = Hash::of_word(open.sum);
    __syncwarp();
    ++waiting;
    ++progress.ended;
  }
  absorb_windows<Hash>(words, waiting, ngram, 1, hashes, progress, sink);
  if (!progress.begun || progress.ended >= ngram || has_words_before(data, chunk, classes)) return progress.taken > 0;
  hash_windows<Hash>(words, 1, waiting, hashes);  // fewer words than a shingle has, and they are all
  sink.absorb(hashes, 1);
  __syncwarp();
  return true;
}

// ---- either --------------------------------------------------------------------------

// Hands the chunk's shingles to the sink; whether there were any.
template <class Hash, class Sink>
__device__ __forceinline__ bool absorb_shingles(const uint8_t* __restrict__ data, const Chunk& chunk, int ngram,
                                                const UnicodeTable<uint8_t>& classes,
                                                ShingleScratch<typename Hash::Value>& scratch, Sink& sink) {
#if OF_WORDS
  return absorb_words<Hash>(data, chunk, ngram, classes, scratch.words, scratch.hashes, sink);
#else
  return absorb_characters<Hash>(data, chunk, ngram, scratch.hashes, sink);
#endif
}
