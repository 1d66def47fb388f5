// One source, two compilers: nvcc for a card, or g++ for a host that plays one (emulation.hpp).
#pragma once

#ifdef DIVERSE_EMULATE
#include "emulation.hpp"
#else
#include <cuda_runtime.h>
#define DIVERSE_SHARED(name) extern __shared__ __align__(16) unsigned char name[]
#define DIVERSE_START(kernel, blocks, threads, bytes, stream, ...) \
    (kernel)<<<blocks, threads, bytes, stream>>>(__VA_ARGS__)
#endif

#include <cstddef>
#include <cstdint>

#define DEVICE __device__ __forceinline__

namespace diverse {

using Real = DIVERSE_REAL;                // double or float
constexpr int twojmax = DIVERSE_TWOJMAX;  // 2 to 10: beyond, a group fits no multiprocessor

#ifndef DIVERSE_SHARED_MEMORY  // bytes that a block can get: of an H100, if nothing else is known
#define DIVERSE_SHARED_MEMORY 232448
#endif

static_assert(2 <= twojmax && twojmax <= 10, "2Jmax of the CUDA kernel is 2 to 10");

constexpr int least(int a, int b) { return a < b ? a : b; }
constexpr int most(int a, int b) { return a > b ? a : b; }

// Starts a kernel with `bytes` of shared memory, of which more than 48 kB must be asked for; the
// code of an error, 0 if none.
template <class... Parameters, class... Arguments>
int start(void (*kernel)(Parameters...), std::int64_t blocks, unsigned threads, std::size_t bytes,
          cudaStream_t stream, Arguments... arguments) {
    if (blocks == 0) return cudaSuccess;
    const auto code = cudaFuncSetAttribute(
        kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes));
    if (code != cudaSuccess) return code;
    DIVERSE_START(kernel, static_cast<unsigned>(blocks), threads, bytes, stream,
                  static_cast<Parameters>(arguments)...);
    return cudaGetLastError();
}

}  // namespace diverse
