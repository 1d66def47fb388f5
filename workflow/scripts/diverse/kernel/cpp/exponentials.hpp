// Sums of exponentials, the same bits on every processor: compile without fused multiply-add.
#pragma once

#include <cstdint>
#include <cstring>

// For loops that go element by element: wider vectors, where the CPU has them, change no bit.
#if defined(__x86_64__)
#define DIVERSE_WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define DIVERSE_WIDE
#endif

namespace diverse {

// log 2 in two parts, of which the first has few digits (Cody & Waite, Software Manual for the
// Elementary Functions, 1980).
constexpr double log2_high = 6.93145751953125e-1, log2_low = 1.42860682030941723212e-6;
constexpr double log2_whole = 0.693147180559945309417;
constexpr double lowest = -700;  // exp(x) is no normal number far below it

// exp(x) to two units in the last place: the Taylor series of r in x = m log 2 + r, m an integer.
// exp(-700) stands for whatever is smaller; x must be below 700.
inline double exponential(double x) {
    constexpr double rounder = 6755399441055744.;  // 1.5 2^52: what is added to it is rounded
    x = x < lowest ? lowest : x;
    const double shifted = x / log2_whole + rounder, m = shifted - rounder;
    const double r = (x - m * log2_high) - m * log2_low;
    double series = 1;
    for (int k = 14; k > 0; --k) series = series * (r * (1. / k)) + 1;
    std::uint64_t bits;
    std::memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 1023) << 52;  // the last bits of shifted are m: this is 2^m
    double power;
    std::memcpy(&power, &bits, sizeof power);
    return series * power;
}

// sums[d][i] = sum over terms of amplitude (-rate)^d exp(-rate x[i]), d = 0, 1, 2: a sum of
// exponentials with its two derivatives.
DIVERSE_WIDE
inline void exponential_sums(std::int64_t n, const double* x, std::int64_t n_terms,
                             const double* amplitude, const double* rate, double* sums) {
    double *value = sums, *slope = sums + n, *curvature = sums + 2 * n;
    std::memset(sums, 0, 3 * n * sizeof(double));
    for (std::int64_t k = 0; k < n_terms; ++k) {
        const double a = amplitude[k], b = rate[k];
#pragma omp simd
        for (std::int64_t i = 0; i < n; ++i) {
            const double term = a * exponential(-x[i] * b);
            value[i] += term;
            slope[i] -= term * b;
            curvature[i] += term * (b * b);
        }
    }
}

}  // namespace diverse
