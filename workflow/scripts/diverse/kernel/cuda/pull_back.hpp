// From Y to the gradient by the vector of every pair.
//
// S(q) = sum over the half of Re(conj(y) v(q)). The derivative of a level is the level below it
// (cpp/derivatives.hpp): by conj(a) and conj(b) the same column, by a and b the column before:
//     d v_j[mb][ma] / d conj(a) = (j-mb) v_{j-1}[mb][ma],
//     d v_j[mb][ma] / d conj(b) = -(j-mb) v_{j-1}[mb][ma-1],
//     d v_j[mb][ma] / d a = mb v_{j-1}[mb-1][ma-1],    d v_j[mb][ma] / d b = mb v_{j-1}[mb-1][ma].
// The value of a level is q . gradient / j (Euler). Threads take the pairs of a group in turn.
#pragma once

#include "columns.hpp"
#include "shares.hpp"

namespace diverse {

// g += f (by conj(a): A, by conj(b): -B), for S = Re(A conj(a)), Re(-B conj(b))
DEVICE void add_by_conjugates(Quaternion& g, Real f, Complex A, Complex B) {
    add_scaled(g.a, f, A);
    add_scaled(g.b, -f, B);
}

// g += f (by a: A, by b: B), for S = Re(A a), Re(B b)
DEVICE void add_by_themselves(Quaternion& g, Real f, Complex A, Complex B) {
    add_scaled(g.a, f, {A.re, -A.im});
    add_scaled(g.b, f, {B.re, -B.im});
}

// The part of column m of level j = L + 1, whose lower elements are c, column m of level L.
template <int L, int m>
DEVICE void add_same_column(const Complex* y, const Complex* c, Quaternion& g) {
    constexpr int j = L + 1;
    Complex A = {0, 0}, B = {0, 0};
    Complex here = y[half(j, m, 0) * n_lanes];
    unrolled<0, L + 1>([&](auto i) {
        constexpr int k = i;
        const Complex next = y[half(j, m, k + 1) * n_lanes];
        add_conjugate_product(A, here, c[k]);
        add_conjugate_product(B, next, c[k]);
        here = next;
    });
    add_by_conjugates(g, Real(j - m), A, B);
}

// The part of column m + 1 of level j = L + 1. If it is the middle one, its rows beyond the middle
// are zero, and column m + 1 of level L, beyond the half, is the mirror image of c.
template <int L, int m>
DEVICE void add_next_column(const Complex* y, const Complex* c, Quaternion& g) {
    constexpr int j = L + 1;
    constexpr bool middle = 2 * (m + 1) == j;
    Complex A = {0, 0}, B = {0, 0}, C = {0, 0}, D = {0, 0};
    const auto mirror = [&](auto row) {
        constexpr int k = row;
        constexpr Real sign = (m + 1 + k) % 2 ? -1 : 1;
        return Complex{sign * c[L - k].re, -sign * c[L - k].im};
    };
    unrolled<0, (middle ? m + 1 : j) + 1>([&](auto i) {
        constexpr int k = i;
        const Complex here = y[half(j, m + 1, k) * n_lanes];
        if constexpr (k > 0) add_conjugate_product(A, here, c[k - 1]);
        if constexpr (k <= L) add_conjugate_product(B, here, c[k]);
        if constexpr (middle && k <= L) add_conjugate_product(C, here, mirror(Index<k>{}));
        if constexpr (middle && k > 0) add_conjugate_product(D, here, mirror(Index<k - 1>{}));
    });
    add_by_themselves(g, Real(m + 1), A, B);
    if (middle) add_by_conjugates(g, Real(m + 1), C, D);
}

// S and its gradient by the quaternion.
DEVICE Real value_and_gradient(const Complex* y, const Quaternion& q, Quaternion& total) {
    Real value = y[0].re;
    total = {{0, 0}, {0, 0}};
    Complex start[twojmax + 1];
    start[0] = {1, 0};
    unrolled<0, (twojmax + 1) / 2>([&](auto column) {
        constexpr int m = column;
        if constexpr (m > 0) {
            raise<2 * m - 1>(start, q);
            shift<2 * m>(start, q);
        }
        Complex c[twojmax + 1];
        unrolled<0, 2 * m + 1>([&](auto i) { c[i] = start[i]; });
        unrolled<2 * m, twojmax>([&](auto lower) {
            constexpr int L = lower;
            __syncwarp();  // else the compiler reads all of Y ahead, and runs out of registers
            Quaternion g = {{0, 0}, {0, 0}};
            add_same_column<L, m>(y, c, g);
            if constexpr (2 * (m + 1) <= L + 1) add_next_column<L, m>(y, c, g);
            value += Real(1. / (L + 1)) * dot(q, g);
            add_scaled(total.a, 1, g.a);
            add_scaled(total.b, 1, g.b);
            if constexpr (L < twojmax - 1) raise<L + 1>(c, q);
        });
    });
    return value;
}

constexpr std::size_t pull_bytes = sizeof(Complex) * group_size +
                                   n_lanes * sizeof(std::int64_t) + (n_lanes + 1) * sizeof(int);

// The pairs of the 32 atoms of a group, numbered through.
struct PairsOfGroup {
    std::int64_t* begin;  // [lane]: its first pair
    int* start;           // [lane]: the number of that pair; [n_lanes]: how many there are

    DEVICE void count(const Atoms& atoms) {
        if (threadIdx.x < n_lanes) {
            const auto atom = atoms.at(std::int64_t(blockIdx.x) * n_lanes + threadIdx.x);
            begin[threadIdx.x] = atoms.begin(atom);
            start[threadIdx.x + 1] = atoms.count(atom);
        }
        __syncthreads();
        if (threadIdx.x == 0) {
            start[0] = 0;
            for (int lane = 0; lane < n_lanes; ++lane) start[lane + 1] += start[lane];
        }
        __syncthreads();
    }

    // The lane that pair number t belongs to: the last whose start is not beyond.
    DEVICE int lane_of(int t) const {
        int lane = 0;
        for (int step = n_lanes / 2; step > 0; step /= 2)
            if (start[lane + step] <= t) lane += step;
        return lane;
    }
};

// Y, vectors -> gradient [pair][3]
__global__ void __launch_bounds__(tuning.pull_threads, tuning.pull_blocks)
    pull_back(Atoms atoms, Radial radial, const Real* __restrict__ vectors,
              const Complex* __restrict__ y, Real* __restrict__ gradient) {
    DIVERSE_SHARED(shared);
    Complex* tile = reinterpret_cast<Complex*>(shared);
    auto* begin = reinterpret_cast<std::int64_t*>(tile + group_size);
    PairsOfGroup pairs = {begin, reinterpret_cast<int*>(begin + n_lanes)};
    load_groups<1>(y, atoms.n_groups(), tile);
    pairs.count(atoms);
    const int n_pairs = pairs.start[n_lanes];
    for (int t0 = 0; t0 < n_pairs; t0 += blockDim.x) {  // all threads stay in, for __syncwarp
        const int own = t0 + static_cast<int>(threadIdx.x);
        const int t = own < n_pairs ? own : n_pairs - 1, lane = pairs.lane_of(t);
        const std::int64_t pair = pairs.begin[lane] + (t - pairs.start[lane]);
        const Neighbour p = locate(vector_at(vectors, pair), radial);
        Quaternion G;
        const Real F = value_and_gradient(tile + lane, p.q, G);
        const Vector3 g = vector_gradient(p, radial, F, G);
        if (own >= n_pairs) continue;
        gradient[3 * pair] = g.x;
        gradient[3 * pair + 1] = g.y;
        gradient[3 * pair + 2] = g.z;
    }
}

}  // namespace diverse
