// The hyperbolic tangent of all lanes, from additions, multiplications and one division alone: no
// library chooses another one for another processor.
#pragma once

#include <cstdint>

#include "lanes.hpp"

namespace diverse {

// What differs between the two types of number.
template <class T>
struct Format;

template <>
struct Format<float> {
    typedef std::int32_t Integer;
    typedef Integer Integers __attribute__((vector_size(DIVERSE_LANE_BYTES)));
    static constexpr int mantissa = 23, bias = 127, degree = 8;
    static constexpr float whole = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
    static constexpr float log2_high = 0.693359375f, log2_low = -2.12194440e-4f;
    static constexpr float largest = 10.0f;  // beyond it the tangent is 1 to rounding
};

template <>
struct Format<double> {
    typedef std::int64_t Integer;
    typedef Integer Integers __attribute__((vector_size(DIVERSE_LANE_BYTES)));
    static constexpr int mantissa = 52, bias = 1023, degree = 14;
    static constexpr double whole = 6755399441055744.0;  // 1.5 * 2^52
    static constexpr double log2_high = 6.93145751953125e-1, log2_low = 1.42860682030941723212e-6;
    static constexpr double largest = 20.0;
};

// tanh(x) = E / (E + 2) with E = exp(2 x) - 1. With 2 x = m log 2 + r, |r| <= log(2) / 2, and
// q = exp(r) - 1 from its Taylor series, E = 2^m q + (2^m - 1). (Cody & Waite, Software Manual for
// the Elementary Functions, 1980: log 2 in two parts.)
template <class T>
inline Lanes<T> hyperbolic_tangent(Lanes<T> x) {
    typedef Format<T> F;
    typedef typename F::Integers Integers;
    x = x > F::largest ? all_lanes(F::largest) : x;
    x = x < -F::largest ? all_lanes(-F::largest) : x;
    const Lanes<T> twice = x + x;
    const Lanes<T> shifted = twice * T(1.44269504088896340736) + F::whole;
    const Lanes<T> m = shifted - F::whole;
    const Lanes<T> r = (twice - m * F::log2_high) - m * F::log2_low;
    Lanes<T> q = all_lanes(T(1));
    for (int k = F::degree; k > 1; --k) q = all_lanes(T(1)) + q * (r * (T(1) / T(k)));
    q *= r;
    const Integers exponent = __builtin_convertvector(m, Integers) + F::bias;
    const Lanes<T> power = (Lanes<T>)(exponent << F::mantissa);
    const Lanes<T> difference = power * q + (power - T(1));
    return difference / (difference + T(2));
}

}  // namespace diverse
