// A screened Coulomb repulsion that is switched off smoothly, the same bits on every processor:
// compile without fused multiply-add.
//
//     e(r) = scale phi(r) / r + S(r),    phi(r) = sum of amplitude exp(-rate r),
//     S(r) = shift + x^3 (cubic / 3 + quartic x / 4),    x = max(r - inner, 0),
//
// and 0 from outer on. Each pair is listed from both of its ends, and counts half each time.
#pragma once

#include <algorithm>
#include <vector>

#include "exponentials.hpp"
#include "lattice.hpp"

namespace diverse {

struct Repulsion {
    double scale;
    std::int64_t n_terms;
    const double *amplitude, *rate;
    double inner, outer, shift, cubic, quartic;
};

// Adds up the pairs of one atom after the other, in scratch memory that stays.
class RepulsionSum {
public:
    explicit RepulsionSum(const Repulsion& repulsion) : of_(repulsion) {}

    // energy += e / 2 of each pair, by_vector[pair][3] += its derivative by the vector
    void add(std::int64_t n, const double* vector, double& energy, double* by_vector) {
        for (std::vector<double>* one : {&r_, &half_, &along_}) one->resize(n);
        sums_.resize(3 * n);
        for (std::int64_t i = 0; i < n; ++i) {
            const Vec v = {vector[3 * i], vector[3 * i + 1], vector[3 * i + 2]};
            r_[i] = std::sqrt(dot(v, v));
        }
        exponential_sums(n, r_.data(), of_.n_terms, of_.amplitude, of_.rate, sums_.data());
        find_halves(n, sums_.data(), sums_.data() + n);
        for (std::int64_t i = 0; i < n; ++i) {
            energy += half_[i];
            for (int x = 0; x < 3; ++x) by_vector[3 * i + x] += along_[i] * vector[3 * i + x];
        }
    }

private:
    // r_, phi and its slope -> half_, which is e / 2, and along_, its slope over r.
    void find_halves(std::int64_t n, const double* phi, const double* phi_slope) {
#pragma omp simd
        for (std::int64_t i = 0; i < n; ++i) {
            const double r = r_[i], x = std::max(r - of_.inner, 0.), x2 = x * x;
            const double e = of_.scale * phi[i] / r + of_.shift +
                             x2 * x * (of_.cubic / 3 + of_.quartic / 4 * x);
            const double slope = of_.scale * (phi_slope[i] - phi[i] / r) / r +
                                 x2 * (of_.cubic + of_.quartic * x);
            half_[i] = r < of_.outer ? 0.5 * e : 0;
            along_[i] = r < of_.outer ? 0.5 * slope / r : 0;
        }
    }

    const Repulsion of_;
    std::vector<double> r_, sums_, half_, along_;
};

}  // namespace diverse
