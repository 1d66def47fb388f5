// Clebsch-Gordan coefficients in the integer notation of LAMMPS.
//
// An angular momentum is written as twice its value (j = 0, 1, 2, ...), a projection as a row
// number m = 0..j that stands for the projection m - j/2.
#pragma once

#include <algorithm>
#include <cmath>

namespace diverse {

constexpr double factorial(int n) {
    double f = 1;
    for (int i = 2; i <= n; ++i) f *= i;
    return f;
}

// The alternating sum of Racah's formula; Varshalovich, Moskalev, Khersonskii, Quantum Theory of
// Angular Momentum (1988), eq. 8.2.1 (3). aa and bb are twice the projections.
constexpr double racah_sum(int j1, int j2, int j, int aa, int bb) {
    const int first = std::max({0, -(j - j2 + aa) / 2, -(j - j1 - bb) / 2});
    const int last = std::min({(j1 + j2 - j) / 2, (j1 - aa) / 2, (j2 + bb) / 2});
    double sum = 0;
    for (int t = first; t <= last; ++t) {
        const double denominator =
            factorial(t) * factorial((j1 + j2 - j) / 2 - t) * factorial((j1 - aa) / 2 - t) *
            factorial((j2 + bb) / 2 - t) * factorial((j - j2 + aa) / 2 + t) *
            factorial((j - j1 - bb) / 2 + t);
        sum += (t % 2 ? -1. : 1.) / denominator;
    }
    return sum;
}

// The part that depends on the levels alone; the triangle coefficient of the same equation.
constexpr double triangle(int j1, int j2, int j) {
    return factorial((j1 + j2 - j) / 2) * factorial((j1 - j2 + j) / 2) *
           factorial((-j1 + j2 + j) / 2) / factorial((j1 + j2 + j) / 2 + 1);
}

// How often the triple (j1, j2, j) occurs in dB of its component (SNA::compute_yi in LAMMPS).
constexpr double multiplicity(int j1, int j2, int j) {
    double times = 1;
    if (j >= j1 && j1 == j) times = j2 == j ? 3 : 2;
    if (j < j1 && j == j2) times = 2;
    return j1 > j ? times * (j1 + 1) / (j + 1.) : times;
}

// <j1 m1, j2 m2 | j m> with m = m1 + m2 - (j1 + j2 - j) / 2; zero where m is outside 0..j.
inline double clebsch_gordan(int j1, int j2, int j, int m1, int m2) {
    const int m = m1 + m2 - (j1 + j2 - j) / 2;
    if (m < 0 || m > j) return 0;
    const double projections = factorial(m1) * factorial(j1 - m1) * factorial(m2) *
                               factorial(j2 - m2) * factorial(m) * factorial(j - m);
    const double sum = racah_sum(j1, j2, j, 2 * m1 - j1, 2 * m2 - j2);
    return sum * std::sqrt(triangle(j1, j2, j) * projections * (j + 1));
}

}  // namespace diverse
