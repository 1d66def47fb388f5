// CUDA as far as this kernel uses it, on a host: a coroutine for every thread of a block.
//
// For tests without a card. Blocks run one after the other, and so do the threads of a block, each
// until it waits at a barrier or ends; shared memory starts as NaN, so that reading what nobody
// wrote shows. ThreadSanitizer takes coroutines for threads: only barriers order their accesses.
#pragma once

#include <ucontext.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

#define __device__
#define __host__
#define __global__
#define __constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)

// A number that every thread of the host may read and that orders nothing.
class EmulatedIndex {
    std::atomic<unsigned> number = 0;

   public:
    operator unsigned() const { return number.load(std::memory_order_relaxed); }
    void operator=(unsigned given) { number.store(given, std::memory_order_relaxed); }
};
struct dim3 {
    EmulatedIndex x;
};
using cudaStream_t = void*;
enum cudaError { cudaSuccess = 0 };
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize };

inline thread_local dim3 threadIdx, blockIdx, blockDim;
inline thread_local unsigned char* emulated_shared;

// What ThreadSanitizer must know of a coroutine; nothing without it.
struct SanitizedFiber {
#ifdef __SANITIZE_THREAD__
    void* fiber;
    void use_current() { fiber = __tsan_get_current_fiber(); }
    void create() { fiber = __tsan_create_fiber(0); }
    void destroy() { __tsan_destroy_fiber(fiber); }
    void enter(bool ordered) {
        __tsan_switch_to_fiber(fiber, ordered ? 0 : __tsan_switch_to_fiber_no_sync);
    }
#else
    void use_current() {}
    void create() {}
    void destroy() {}
    void enter(bool) {}
#endif
};

// One thread of the card, or the loop that runs them.
struct EmulatedThread {
    ucontext_t context;
    SanitizedFiber fiber;
    EmulatedIndex done;  // 1 when it has
};

// The block that runs: its threads, and what each of them does.
struct EmulatedBlock {
    static constexpr std::size_t stack_bytes = std::size_t(1) << 20;

    explicit EmulatedBlock(unsigned n, std::function<void()> body);
    ~EmulatedBlock();
    void run();
    void yield();

   private:
    static void work();
    EmulatedThread loop;
    std::vector<EmulatedThread> threads;
    std::unique_ptr<unsigned char[]> stacks;
    std::function<void()> body;
    std::atomic<unsigned> begun = 0;  // blocks: orders what came before a block before its threads
};
inline thread_local EmulatedBlock* emulated_block;

inline EmulatedBlock::EmulatedBlock(unsigned n, std::function<void()> body)
    : threads(n), stacks(new unsigned char[n * stack_bytes]), body(body) {
    emulated_block = this;
    loop.fiber.use_current();
    for (unsigned i = 0; i < n; ++i) {
        getcontext(&threads[i].context);
        threads[i].context.uc_stack.ss_sp = stacks.get() + i * stack_bytes;
        threads[i].context.uc_stack.ss_size = stack_bytes;
        makecontext(&threads[i].context, work, 0);
        threads[i].fiber.create();
    }
}

inline EmulatedBlock::~EmulatedBlock() {
    for (EmulatedThread& thread : threads) thread.fiber.destroy();
}

inline void EmulatedBlock::work() {
    for (;;) {
        EmulatedBlock& block = *emulated_block;
        block.begun.load(std::memory_order_acquire);
        block.body();
        block.threads[threadIdx.x].done = 1;
        block.yield();
    }
}

// Runs every thread to its next barrier, in turn, until all have ended.
inline void EmulatedBlock::run() {
    for (EmulatedThread& thread : threads) thread.done = 0;
    begun.fetch_add(1, std::memory_order_release);
    for (std::size_t left = threads.size(); left > 0;)
        for (std::size_t i = 0; i < threads.size(); ++i) {
            if (threads[i].done) continue;
            threadIdx.x = static_cast<unsigned>(i);
            threads[i].fiber.enter(false);
            swapcontext(&loop.context, &threads[i].context);
            left -= threads[i].done;
        }
}

inline void EmulatedBlock::yield() {
    ucontext_t& own = threads[threadIdx.x].context;
    loop.fiber.enter(true);
    swapcontext(&own, &loop.context);
}

struct EmulatedBarrier {
    std::atomic<unsigned> size, waiting = 0, turn = 0;

    explicit EmulatedBarrier(unsigned size) : size(size) {}
    void wait() {
        const unsigned mine = turn;
        if (++waiting == size) {
            waiting = 0;
            ++turn;
        }
        while (turn == mine) emulated_block->yield();
    }
};
inline thread_local EmulatedBarrier* emulated_barrier;

// What the 32 threads of a warp show each other.
struct EmulatedWarp {
    EmulatedBarrier barrier{32};
    double shown[32];
};
inline thread_local EmulatedWarp* emulated_warps;

template <class T>
T __shfl_xor_sync(unsigned, T value, int mask) {
    EmulatedWarp& warp = emulated_warps[threadIdx.x / 32];
    const unsigned lane = threadIdx.x % 32;
    warp.shown[lane] = value;
    warp.barrier.wait();
    const T other = static_cast<T>(warp.shown[lane ^ mask]);
    warp.barrier.wait();
    return other;
}

inline void __syncthreads() { emulated_barrier->wait(); }
inline void __syncwarp() {}
inline cudaError cudaGetLastError() { return cudaSuccess; }
inline const char* cudaGetErrorString(cudaError) { return "no error can occur in the emulation"; }
template <class Kernel>
cudaError cudaFuncSetAttribute(Kernel, cudaFuncAttribute, int) {
    return cudaSuccess;
}

inline void emulate(unsigned n_blocks, unsigned n_threads, std::size_t bytes,
                    std::function<void()> body) {
    std::unique_ptr<unsigned char, void (*)(void*)> shared(
        static_cast<unsigned char*>(std::aligned_alloc(64, bytes / 64 * 64 + 64)), std::free);
    EmulatedBlock block(n_threads, body);
    EmulatedBarrier barrier(n_threads);
    std::vector<EmulatedWarp> warps((n_threads + 31) / 32);
    emulated_shared = shared.get();
    emulated_barrier = &barrier;
    emulated_warps = warps.data();
    blockDim.x = n_threads;
    for (unsigned i = 0; i < n_blocks; ++i) {
        blockIdx.x = i;
        std::memset(shared.get(), 0xff, bytes);
        block.run();
    }
}

#define DIVERSE_SHARED(name) unsigned char* name = emulated_shared
#define DIVERSE_START(kernel, blocks, threads, bytes, stream, ...) \
    emulate(blocks, threads, bytes, [&] { (kernel)(__VA_ARGS__); })
