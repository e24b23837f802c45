// What every kernel and header begins with, so that the same source goes to NVRTC (through
// CuPy), to nvcc, and to the CPU emulator of the tests.
//
// Kernels keep to what all three know: extern "C" names, plain pointers and scalars as
// arguments, warp intrinsics, atomics, static shared memory.
#pragma once

#if defined(GPUCURATE_EMULATOR)
#include "cuda_emu.h"
#elif defined(__CUDACC_RTC__)  // NVRTC brings no <cstdint>
typedef signed char int8_t;
typedef short int16_t;
typedef int int32_t;
typedef long long int64_t;
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long long uint64_t;
#else
#include <cstdint>
#endif
