// Columns of the harmonics v of one neighbour, as polynomials, climbed level by level.
//
// Column mb of level j, cpp/recursion.hpp, holds the coefficients of
//     v_j[mb](t) = (conj(a) - conj(b) t)^(j-mb) (b + a t)^mb:
// a factor more of the first kind is the same column one level up, a factor more of the second
// kind the next column one level up. Thompson 2015, eqs. 5-6, rescaled. The warps of a block share
// out the columns; U stays in this basis, the norms are in the coefficients of couplings.hpp.
#pragma once

#include "geometry.hpp"
#include "layout.hpp"

namespace diverse {

constexpr int n_columns = twojmax / 2 + 1;
constexpr int n_column_warps = least(n_warps, n_columns);

// The first columns, which reach down to the lowest levels, each to a warp of its own; those after
// them to the warps that have least: the registers of all warps are as many as the fullest takes.
constexpr int warp_of(int mb) {
    return mb < n_column_warps ? mb : 2 * n_column_warps - 1 - mb;
}
static_assert(n_columns <= 2 * n_column_warps, "a warp takes at most two columns");

// c(t) <- (conj(a) - conj(b) t) c(t); c has n coefficients before
template <int n>
DEVICE void raise(Complex* c, const Quaternion& q) {
    unrolled<0, n + 1>([&](auto i) {
        constexpr int k = n - i;
        Complex z = {0, 0};
        if constexpr (k < n) add_conjugate_product(z, q.a, c[k]);
        if constexpr (k > 0) subtract_conjugate_product(z, q.b, c[k - 1]);
        c[k] = z;
    });
}

// c(t) <- (b + a t) c(t)
template <int n>
DEVICE void shift(Complex* c, const Quaternion& q) {
    unrolled<0, n + 1>([&](auto i) {
        constexpr int k = n - i;
        Complex z = {0, 0};
        if constexpr (k < n) add_product(z, q.b, c[k]);
        if constexpr (k > 0) add_product(z, q.a, c[k - 1]);
        c[k] = z;
    });
}

// The column and its change e along the change dq of the quaternion, by the rule of products.
template <int n>
DEVICE void raise(Complex* c, Complex* e, const Quaternion& q, const Quaternion& dq) {
    unrolled<0, n + 1>([&](auto i) {
        constexpr int k = n - i;
        Complex z = {0, 0};
        if constexpr (k < n) {
            add_conjugate_product(z, q.a, e[k]);
            add_conjugate_product(z, dq.a, c[k]);
        }
        if constexpr (k > 0) {
            subtract_conjugate_product(z, q.b, e[k - 1]);
            subtract_conjugate_product(z, dq.b, c[k - 1]);
        }
        e[k] = z;
    });
    raise<n>(c, q);
}

template <int n>
DEVICE void shift(Complex* c, Complex* e, const Quaternion& q, const Quaternion& dq) {
    unrolled<0, n + 1>([&](auto i) {
        constexpr int k = n - i;
        Complex z = {0, 0};
        if constexpr (k < n) {
            add_product(z, q.b, e[k]);
            add_product(z, dq.b, c[k]);
        }
        if constexpr (k > 0) {
            add_product(z, q.a, e[k - 1]);
            add_product(z, dq.a, c[k - 1]);
        }
        e[k] = z;
    });
    shift<n>(c, q);
}

// visit(Index<mb>{}) for each column of one warp.
template <class Visit>
DEVICE void columns_of_warp(int warp, Visit visit) {
    unrolled<0, n_columns>([&](auto i) {
        constexpr int mb = i;
        if (warp == warp_of(mb)) visit(Index<mb>{});
    });
}

// Place of element (j, mb, row) among those of the columns of its warp.
constexpr int place_in_warp(int j, int mb, int row) {
    int place = row;
    for (int m = 0; m < mb; ++m)
        if (warp_of(m) == warp_of(mb))
            for (int level = 2 * m; level <= twojmax; ++level) place += level + 1;
    for (int level = 2 * mb; level < j; ++level) place += level + 1;
    return place;
}
constexpr int most_in_warp() {
    int size = 0;
    for (int mb = 0; mb < n_columns; ++mb)
        size = most(size, place_in_warp(twojmax, mb, twojmax) + 1);
    return size;
}

}  // namespace diverse
