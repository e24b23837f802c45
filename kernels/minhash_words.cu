// MinHash over shingles of words by min and max of products, fused with band keys;
// docs/algorithms.md has the definitions, gpucurate/ops/minhash/contract.py the interface.
//
// Contract
//   Text is valid UTF-8 in chunks (text.cuh). Shingles are of `ngram` words, at most 256; a
//   document with fewer is one shingle. The caller fills signatures with 2^32-1, found and
//   finished with 0. found becomes 1 for a document with a word; one without keeps its
//   signature and gets keys of 0. keys may be null: signatures only.
//
// Distribution of work
//   One warp per chunk, persistent grid of blocks of 256 threads. A chunk owns the shingles whose
//   first word begins in it, and reads on until their other ngram-1 words have ended. The 32
//   characters that begin at 32 bytes are folded into polynomials of words by one segmented
//   scan, in which a word that runs on is carried: so a word may be as long as a document. Hashes of
//   words wait in shared memory (320 for each warp) until there are 32 shingles, which
//   go the way of minhash.cu.
//   A document of fewer than ngram words is known by its last words: the chunk that meets the
//   end of the document too early looks backwards whether any word came before its own.
//
// Cost model, K permutations, ASCII, words of 5 letters
//   For 32 bytes: a code point and two table look-ups a lane from L1, 10 shuffles and 8 votes,
//   about 90 instructions; for each shingle ngram shared loads and products, then as minhash.cu, but
//   for one shingle in 6 bytes: arithmetic binds, at about the same cost for hashing as for K=128.

#include "sketch.cuh"
#include "text.cuh"

namespace {

constexpr int kMostWords = 320;  // 255 of the shingle before, up to 31 more, and those of 32 bytes
constexpr int kWord = 1, kSolo = 2;  // gpucurate/ops/unicode/tables.py

// Where a scan stands: the polynomial of the word that runs on, if one does, and whether it
// began within the chunk or behind.
struct OpenWord {
  uint32_t sum = 0;
  bool is_open = false, is_own = false;
};

// Counts of a chunk's words: begun in it; ended so far, those behind it included; first words
// of shingles taken in.
struct Progress {
  int begun = 0, ended = 0, taken = 0;
};

// The polynomial at each lane's character, of the word that began last: the composition of
// p -> p * factor + sum over the lanes up to this one, on the word carried in.
__device__ __forceinline__ uint32_t scan_polynomials(uint32_t factor, uint32_t sum, uint32_t carried) {
  for (int by = 1; by < 32; by <<= 1) {
    const uint32_t earlier_factor = __shfl_up_sync(kAllLanes, factor, by);
    const uint32_t earlier_sum = __shfl_up_sync(kAllLanes, sum, by);
    if (lane_index() < by) continue;
    sum += earlier_sum * factor;
    factor *= earlier_factor;
  }
  return carried * factor + sum;
}

// Takes in the 32 bytes at `at`: appends to `words` the hashes of the words that end there.
__device__ __forceinline__ int append_words(const uint8_t* __restrict__ data, int64_t at, const Chunk& chunk,
                                            const UnicodeTable<uint8_t>& classes, OpenWord& open, uint32_t* words,
                                            Progress& progress) {
  const int64_t place = at + lane_index();
  const bool begins = place < chunk.stop && begins_character(data[place]);
  const uint32_t point = begins ? code_point_at(data, place, chunk.stop) : 0;
  const int kind = begins ? int(classes[point]) : 0;
  const unsigned begun = __ballot_sync(kAllLanes, begins), in_words = __ballot_sync(kAllLanes, kind == kWord);
  const unsigned solos = __ballot_sync(kAllLanes, kind == kSolo), before = begun & lanes_before();
  const bool follows_word = before ? in_words >> last_lane(before) & 1 : open.is_open;
  const bool is_first = kind == kWord && !follows_word;
  const unsigned firsts = __ballot_sync(kAllLanes, is_first);
  const uint32_t factor = kind != kWord ? 1 : is_first ? 0 : kShingleBase;
  const uint32_t sum = scan_polynomials(factor, kind == kWord ? point : 0, open.sum);

  const bool ends = begins && kind != kWord && follows_word && (open.is_own || (firsts & lanes_before()));
  const unsigned enders = __ballot_sync(kAllLanes, ends);
  const int slot = __popc(enders & lanes_before()) + __popc(solos & lanes_before());
  if (ends) words[slot] = fmix32(sum);
  if (kind == kSolo) words[slot + ends] = fmix32(point);

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

// Hashes the first `count` windows of `ngram` words into `hashes`; to be seen after __syncwarp.
__device__ __forceinline__ void hash_windows(const uint32_t* words, int count, int ngram, uint32_t* hashes) {
  const int lane = lane_index();
  if (lane >= count) return;
  uint32_t sum = 0;
  for (int k = 0; k < ngram; ++k) sum = sum * kShingleBase + words[lane + k];
  hashes[lane] = fmix32(sum) | 1u;
}

// Drops the first `count` of `waiting` words.
__device__ __forceinline__ void drop_words(uint32_t* words, int waiting, int count) {
  for (int k = lane_index(); k - lane_index() < waiting - count; k += 32) {
    const uint32_t word = k < waiting - count ? words[k + count] : 0;
    __syncwarp();
    if (k < waiting - count) words[k] = word;
    __syncwarp();
  }
}

// Takes in shingles while there are at least `least` of them.
__device__ __forceinline__ void absorb_windows(uint32_t* words, int& waiting, int ngram, int least, uint32_t* hashes,
                                               Progress& progress, Extremes& extremes) {
  for (;;) {
    const int ready = min(32, min(waiting - ngram + 1, progress.begun - progress.taken));
    if (ready < least) return;
    hash_windows(words, ready, ngram, hashes);
    __syncwarp();
    extremes.absorb(hashes, ready);
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

__device__ __forceinline__ OpenWord word_before(const uint8_t* __restrict__ data, const Chunk& chunk,
                                                const UnicodeTable<uint8_t>& classes) {
  const uint32_t point = code_point_before(data, chunk.at, chunk.start, chunk.stop);
  OpenWord open;
  open.is_open = point != kNoCharacter && classes[point] == kWord;
  return open;
}

// Takes in the chunk's shingles; whether it had any.
__device__ __forceinline__ bool absorb_chunk(const uint8_t* __restrict__ data, const Chunk& chunk, int ngram,
                                             const UnicodeTable<uint8_t>& classes, uint32_t* words, uint32_t* hashes,
                                             Extremes& extremes) {
  OpenWord open = word_before(data, chunk, classes);
  Progress progress;
  int waiting = 0;
  int64_t at = chunk.at;
  for (; at < chunk.end || (at < chunk.stop && progress.begun && progress.ended < progress.begun + ngram - 1); at += 32) {
    waiting += append_words(data, at, chunk, classes, open, words + waiting, progress);
    absorb_windows(words, waiting, ngram, 32, hashes, progress, extremes);
  }
  if (at >= chunk.stop && open.is_open && open.is_own) {
    if (lane_index() == 0) words[waiting] = fmix32(open.sum);
    __syncwarp();
    ++waiting;
    ++progress.ended;
  }
  absorb_windows(words, waiting, ngram, 1, hashes, progress, extremes);
  if (!progress.begun || progress.ended >= ngram || has_words_before(data, chunk, classes)) return progress.taken > 0;
  hash_windows(words, 1, waiting, hashes);  // fewer words than a shingle has, and they are all
  __syncwarp();
  extremes.absorb(hashes, 1);
  return true;
}

}  // namespace

// stage1, stage2: UnicodeTables.class_stage1, class_stage2; multipliers: uint32[ceil(permutations / 2)];
// signatures: [documents, permutations]; found, finished: [documents]; keys: [documents, bands].
extern "C" __global__ void __launch_bounds__(256, 3) minhash_words(
    const uint8_t* __restrict__ data, const int64_t* __restrict__ offsets, const int64_t* __restrict__ first_chunk,
    const int32_t* __restrict__ chunk_document, int64_t chunks, int chunk_bytes, int ngram,
    const uint16_t* __restrict__ stage1, const uint8_t* __restrict__ stage2,
    const uint32_t* __restrict__ multipliers, int permutations, int bands, int rows, uint32_t* signatures,
    uint32_t* found, uint32_t* finished, uint64_t* keys) {
  __shared__ uint32_t waiting_words[kWarpsPerBlock][kMostWords];
  __shared__ __align__(16) uint32_t waiting_hashes[kWarpsPerBlock][32];
  const ChunkList list{offsets, first_chunk, chunk_document, chunk_bytes};
  const UnicodeTable<uint8_t> classes{stage1, stage2};
  uint32_t *words = waiting_words[threadIdx.x >> 5], *hashes = waiting_hashes[threadIdx.x >> 5];
  const int multiplier_count = (permutations + 1) / 2;
  for (int64_t number = warp_index(); number < chunks; number += warp_count()) {
    const Chunk chunk = list[number];
    uint32_t* signature = signatures + int64_t(chunk.document) * permutations;
    for (int first = lane_index(); first - lane_index() < multiplier_count; first += 32 * LANE_MULTIPLIERS) {
      Extremes extremes;
      extremes.load(multipliers, first, multiplier_count);
      if (!absorb_chunk(data, chunk, ngram, classes, words, hashes, extremes)) break;
      extremes.flush(signature, first, permutations);
      if (first == 0) atomicOr(found + chunk.document, 1u);
    }
    if (keys == nullptr || !finishes_last(finished + chunk.document, list.chunks_of(chunk.document))) continue;
    const bool has_keys = __ldcg(found + chunk.document) != 0;
    write_band_keys(signature, has_keys, bands, rows, keys + int64_t(chunk.document) * bands);
  }
}
