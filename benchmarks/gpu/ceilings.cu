// What a device can do at most: reading, products, minima, and the inner loop of MinHash alone.
// Each kernel keeps its results alive by a store that happens only for a value that does not occur. What is
// counted is what runs: in sm_90 code a round of products is 128 IMAD, one of minima 128 VIMNMX, one of
// minhash_steps 64 IMAD, 64 VIMNMX3 (of two new values each) and 8 LDS.128.

#include "portable.cuh"

constexpr int kChains = 8;
constexpr int kSteps = 16;
constexpr uint32_t kNever = 0x9E3779B9u;

// Reads words of 16 bytes, each once, four in flight a thread.
extern "C" __global__ void __launch_bounds__(256) read_words(
    const uint8_t* __restrict__ data, int64_t words, uint32_t* __restrict__ out) {
  const int64_t stride = int64_t(gridDim.x) * blockDim.x;
  uint32_t sum = 0;
#pragma unroll 4
  for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < words; i += stride) {
    const uint4 word = reinterpret_cast<const uint4*>(data)[i];
    sum += word.x ^ word.y ^ word.z ^ word.w;
  }
  if (sum == kNever) out[threadIdx.x] = sum;
}

// kSteps * kChains products with addition of 32 bits a round, in chains that do not wait for each other.
extern "C" __global__ void __launch_bounds__(256) products(uint32_t a, uint32_t c, int rounds, uint32_t* out) {
  uint32_t x[kChains];
  for (int j = 0; j < kChains; ++j) x[j] = threadIdx.x * kChains + j;
  for (int r = 0; r < rounds; ++r) {
#pragma unroll
    for (int s = 0; s < kSteps; ++s) {
#pragma unroll
      for (int j = 0; j < kChains; ++j) x[j] = x[j] * a + c;
    }
  }
  uint32_t sum = 0;
  for (int j = 0; j < kChains; ++j) sum ^= x[j];
  if (sum == kNever) out[threadIdx.x] = sum;
}

// As many minima and maxima of two: in turn, and each with a neighbour, so that none can be left out.
extern "C" __global__ void __launch_bounds__(256) minima(uint32_t a, int rounds, uint32_t* out) {
  uint32_t x[kChains];
  for (int j = 0; j < kChains; ++j) x[j] = (threadIdx.x * kChains + j) * a;
  for (int r = 0; r < rounds; ++r) {
#pragma unroll
    for (int s = 0; s < kSteps; ++s) {
#pragma unroll
      for (int j = 0; j < kChains; ++j) {
        const uint32_t other = x[(j + 1 + s % 3) % kChains];
        x[j] = s % 2 ? max(x[j], other) : min(x[j], other);
      }
    }
  }
  uint32_t sum = 0;
  for (int j = 0; j < kChains; ++j) sum ^= x[j];
  if (sum == kNever) out[threadIdx.x] = sum;
}

// The loop that minhash.cu spends its time in, for K = 128: two multipliers a lane, 32 hashes from shared
// memory a round, so 64 steps of a product, a minimum and a maximum.
extern "C" __global__ void __launch_bounds__(256) minhash_steps(uint32_t a, int rounds, uint32_t* out) {
  __shared__ uint4 hashes[8][8];
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  if (lane < 8) hashes[warp][lane] = make_uint4(a * lane + 1, a * lane + 3, a * lane + 5, a * lane + 7);
  __syncthreads();
  uint32_t first = (a + 2 * lane) | 1, second = (a + 2 * lane + 64) | 1;
  uint32_t least[2] = {kNever, kNever}, most[2] = {0, 0};
  for (int r = 0; r < rounds; ++r) {
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      const uint4 h = hashes[warp][i];
      const uint32_t one[4] = {first * h.x, first * h.y, first * h.z, first * h.w};
      const uint32_t two[4] = {second * h.x, second * h.y, second * h.z, second * h.w};
#pragma unroll
      for (int k = 0; k < 4; ++k) {
        least[0] = min(least[0], one[k]);
        most[0] = max(most[0], one[k]);
        least[1] = min(least[1], two[k]);
        most[1] = max(most[1], two[k]);
      }
    }
    first += 2;  // other products in the next round
    second += 2;
  }
  const uint32_t sum = least[0] ^ least[1] ^ most[0] ^ most[1];
  if (sum == kNever) out[threadIdx.x] = sum;
}

// Nothing: what a launch costs.
extern "C" __global__ void __launch_bounds__(256) nothing() {}
