// CUDA as far as this kernel uses it, on a host: a thread of the host for every thread of a block.
//
// For tests without a card. Blocks run one after the other; shared memory starts as NaN, so that
// reading what nobody wrote shows, and ThreadSanitizer sees a barrier that is missing.
#pragma once

#include <barrier>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#define __device__
#define __host__
#define __global__
#define __constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)

struct dim3 {
    unsigned x = 1;
};
using cudaStream_t = void*;
enum cudaError { cudaSuccess = 0 };
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize };

inline thread_local dim3 threadIdx, blockIdx, blockDim;
inline thread_local unsigned char* emulated_shared;
inline thread_local std::barrier<>* emulated_barrier;

// What the 32 threads of a warp show each other.
struct EmulatedWarp {
    std::barrier<> barrier{32};
    double shown[32];
};
inline thread_local EmulatedWarp* emulated_warp;

template <class T>
T __shfl_xor_sync(unsigned, T value, int mask) {
    const unsigned lane = threadIdx.x % 32;
    emulated_warp->shown[lane] = value;
    emulated_warp->barrier.arrive_and_wait();
    const T other = static_cast<T>(emulated_warp->shown[lane ^ mask]);
    emulated_warp->barrier.arrive_and_wait();
    return other;
}

inline void __syncthreads() { emulated_barrier->arrive_and_wait(); }
inline void __syncwarp() {}
inline cudaError cudaGetLastError() { return cudaSuccess; }
inline const char* cudaGetErrorString(cudaError) { return "no error can occur in the emulation"; }
template <class Kernel>
cudaError cudaFuncSetAttribute(Kernel, cudaFuncAttribute, int) {
    return cudaSuccess;
}

template <class Body>
void emulate(unsigned blocks, unsigned threads, std::size_t bytes, Body body) {
    std::unique_ptr<unsigned char, void (*)(void*)> shared(
        static_cast<unsigned char*>(std::aligned_alloc(64, bytes / 64 * 64 + 64)), std::free);
    for (unsigned block = 0; block < blocks; ++block) {
        std::memset(shared.get(), 0xff, bytes);
        std::barrier<> barrier(threads);
        std::vector<EmulatedWarp> warps((threads + 31) / 32);
        std::vector<std::thread> running;
        for (unsigned thread = 0; thread < threads; ++thread)
            running.emplace_back([&, thread] {
                blockIdx.x = block;
                blockDim.x = threads;
                threadIdx.x = thread;
                emulated_shared = shared.get();
                emulated_barrier = &barrier;
                emulated_warp = &warps[thread / 32];
                body();
            });
        for (std::thread& thread : running) thread.join();
    }
}

#define DIVERSE_SHARED(name) unsigned char* name = emulated_shared
#define DIVERSE_START(kernel, blocks, threads, bytes, stream, ...) \
    emulate(blocks, threads, bytes, [&] { (kernel)(__VA_ARGS__); })
