// The Clebsch-Gordan products Z of one group, and how the warps of a block share them out.
//
// Thompson 2015, eqs. 8-9, as in cpp/products.hpp:
//     Z_j[mb][ma] = sum over m1b + m2b = mb + s of C(m1b, m2b)
//                   sum over m1a + m2a = ma + s of C(m1a, m2a) U_j1[m1b][m1a] U_j2[m2b][m2a].
// All columns that a pair of columns makes have the same projection K = j - 2 mb = j1 + j2 -
// 2 (m1b + m2b) >= 0: each warp takes some K, so that no two of them add to the same element, and
// the sums of one K stay in registers.
#pragma once

#include "couplings.hpp"
#include "layout.hpp"

namespace diverse {

// Place of an element among the columns of one K: levels of its parity from 0 or 1 on, all rows.
constexpr int slot(int j, int row) {
    int place = row;
    for (int level = j % 2; level < j; level += 2) place += level + 1;
    return place;
}
constexpr int n_slots(int parity) {
    const int top = twojmax - (twojmax - parity) % 2;
    return slot(top, top) + 1;
}

// Column m of level j; beyond the stored half a mirror image, whose sign (-1)^m the coefficients
// of the columns hold.
template <int j>
DEVICE void load_column(const Complex* u, int m, Complex* column) {
    if (2 * m <= j) {
        const Complex* from = u + (half_start(j) + m * (j + 1)) * n_lanes;
        unrolled<0, j + 1>([&](auto i) {
            constexpr int k = i;
            column[k] = from[k * n_lanes];
        });
    } else {
        const Complex* from = u + (half_start(j) + (j - m) * (j + 1)) * n_lanes;
        unrolled<0, j + 1>([&](auto i) {
            constexpr int k = i;
            const Complex z = from[(j - k) * n_lanes];
            column[k] = k % 2 ? Complex{-z.re, z.im} : Complex{z.re, -z.im};
        });
    }
}

// One antidiagonal, a + b = d, of the products x[a] y[b]: formed once for all losses.
// add(Index<s>{}, Index<row>{}, sum) for the losses up to last.
template <int j1, int j2, int last, int d, class Add>
DEVICE void multiply_antidiagonal(const Complex* x, const Complex* y, Add& add) {
    constexpr int first_a = most(0, d - j2), n = least(j1, d) - first_a + 1;
    Complex p[n];
    unrolled<0, n>([&](auto i) {
        constexpr int k = i;
        p[k] = {0, 0};
        add_product(p[k], x[first_a + k], y[d - first_a - k]);
    });
    unrolled<first_loss(j1, j2), least(last, least(d, j1 + j2 - d)) + 1>([&](auto loss) {
        constexpr int s = loss;
        Complex sum = {0, 0};
        unrolled<0, n>([&](auto i) {
            constexpr int k = i;
            constexpr std::int64_t c = row_coefficient(j1, j2, s, first_a + k, d - first_a - k);
            if constexpr (c != 0) add_scaled(sum, Real(c), p[k]);
        });
        add(Index<s>{}, Index<d - s>{}, sum);
    });
}

// All antidiagonals of columns x and y; of a middle column (K = 0) only the rows ma <= mb are kept.
template <int j1, int j2, int last, class Add>
DEVICE void multiply_columns(const Complex* x, const Complex* y, bool middle, Add add) {
    constexpr int first = first_loss(j1, j2), half_way = (j1 + j2) / 2;
    unrolled<first, half_way + 1>([&](auto i) {
        constexpr int d = i;
        multiply_antidiagonal<j1, j2, last, d>(x, y, add);
    });
    if (middle) return;
    unrolled<half_way + 1, j1 + j2 - first + 1>([&](auto i) {
        constexpr int d = i;
        multiply_antidiagonal<j1, j2, last, d>(x, y, add);
    });
}

// Columns m1 of level j1 that pair with M - m1 of level j2; equal levels: m1 <= M - m1.
__host__ DEVICE constexpr int first_factor(int j2, int M) { return M > j2 ? M - j2 : 0; }
__host__ DEVICE constexpr int last_factor(int j1, int j2, int M) {
    return j1 == j2 ? M / 2 : M < j1 ? M : j1;
}

// Adds up all that levels j1 and j2 put into the columns of projection K, for losses up to last.
// scale(s, coefficient of the columns) multiplies; sum begins with the slot `begin`.
template <int j1, int j2, int last, int begin, class Scale>
DEVICE void add_products(const Complex* u, int K, Complex* sum, Scale scale) {
    constexpr int first = first_loss(j1, j2);
    const int M = (j1 + j2 - K) / 2;
    for (int m1 = first_factor(j2, M); m1 <= last_factor(j1, j2, M); ++m1) {
        Complex x[j1 + 1], y[j2 + 1];
        load_column<j1>(u, m1, x);
        load_column<j2>(u, M - m1, y);
        const Real* coefficients = column_coefficients<j1, j2>(m1, M - m1);
        Real factor[last - first + 1];
        unrolled<first, last + 1>([&](auto loss) {
            constexpr int s = loss;
            factor[s - first] = scale(Index<s>{}, coefficients[s - first]);
        });
        multiply_columns<j1, j2, last>(x, y, K == 0, [&](auto loss, auto row, Complex product) {
            constexpr int s = loss, at = slot(j1 + j2 - 2 * s, row) - begin;
            add_scaled(sum[at], factor[s - first], product);
        });
    }
}

// f(Index<j1>{}, Index<j2>{}) for all levels whose products have projections of one parity.
template <int parity, class Body>
DEVICE void for_each_pair_of_levels(Body body) {
    unrolled<0, twojmax + 1>([&](auto upper) {
        constexpr int j1 = upper;
        unrolled<0, j1 + 1>([&](auto lower) {
            constexpr int j2 = lower;
            if constexpr ((j1 + j2) % 2 == parity) body(Index<j1>{}, Index<j2>{});
        });
    });
}

}  // namespace diverse
