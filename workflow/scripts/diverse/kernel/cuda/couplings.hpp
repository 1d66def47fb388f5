// Coefficients of the products of levels, known at compile time, and the numbers of what they make.
//
// In the basis v (columns.hpp) the square roots of the Clebsch-Gordan coefficients cancel: with
// R(m1, m2) the alternating sum of Racah's formula (racah_sum of cpp/clebsch_gordan.hpp),
//     C_column C_row u_1 u_2 conj(u) = triangle (j + 1) R(m1, m2)                  [column]
//                                      R(a, b) a! (j1-a)! b! (j2-b)!               [row, integer]
//                                      ma! (j-ma)!  v_1 v_2 conj(v)                [share].
// The integers of the rows are those of the s-th transvectant of binary forms; written into the
// code they become operands of its instructions. The columns' coefficients are read from constant
// memory. Levels (j1, j2) make the levels j1 + j2 - 2 s, losses s from first_loss to j2.
#pragma once

#include "../cpp/clebsch_gordan.hpp"
#include "platform.hpp"

namespace diverse {

constexpr int first_loss(int j1, int j2) { return most(0, (j1 + j2 - twojmax + 1) / 2); }
constexpr int n_losses(int j1, int j2) { return j2 - first_loss(j1, j2) + 1; }

constexpr std::int64_t binomial(int n, int k) {
    std::int64_t value = k < 0 || k > n ? 0 : 1;
    for (int i = 0; value && i < k; ++i) value = value * (n - i) / (i + 1);
    return value;
}

// Coefficient of v1[a] v2[b] in a row of level j1 + j2 - 2 s.
constexpr std::int64_t row_coefficient(int j1, int j2, int s, int a, int b) {
    std::int64_t sum = 0;
    for (int t = 0; t <= s; ++t)
        sum += (t % 2 ? -1 : 1) * std::int64_t(factorial(t) * factorial(s - t)) *
               binomial(j1 - a, t) * binomial(b, t) * binomial(a, s - t) * binomial(j2 - b, s - t);
    return sum;
}

// Share of element `row` of a column in a sum over its level: columns before the middle stand for
// their mirror images too, and so do the rows before the middle of a middle column.
constexpr double share(bool middle, int j, int row) {
    const int times = !middle || 2 * row < j ? 2 : 2 * row == j ? 1 : 0;
    return times * factorial(row) * factorial(j - row);
}

// Coefficient of columns m1 and m2. Equal levels: columns are taken once for both orders. A column
// beyond the stored half is the mirror image of its partner up to the sign (-1)^m.
constexpr double column_coefficient(int j1, int j2, int s, int m1, int m2) {
    const int j = j1 + j2 - 2 * s, m = m1 + m2 - s;
    if (m < 0 || m > j) return 0;
    double c = triangle(j1, j2, j) * (j + 1) * racah_sum(j1, j2, j, 2 * m1 - j1, 2 * m2 - j2);
    if (j1 == j2 && m1 != m2) c *= 2;
    if (2 * m1 > j1 && m1 % 2) c = -c;
    if (2 * m2 > j2 && m2 % 2) c = -c;
    return c;
}

// Running numbers of components, in the order of LAMMPS, of triples, and of column coefficients.
struct Numbers {
    int component[twojmax + 1][twojmax + 1][twojmax + 1] = {};  // of (j1, j2, j), j >= j1
    int triple[twojmax + 1][twojmax + 1][twojmax + 1] = {};     // of (j1, j2, s)
    int column[twojmax + 1][twojmax + 1] = {};  // of (j1, j2): the first; then [m1][m2][s]
    int n_components = 0, n_triples = 0, n_columns = 0;

    constexpr Numbers() {
        for (int j1 = 0; j1 <= twojmax; ++j1)
            for (int j2 = 0; j2 <= j1; ++j2) {
                for (int j = j1 - j2; j <= least(twojmax, j1 + j2); j += 2)
                    if (j >= j1) component[j1][j2][j] = n_components++;
                for (int s = first_loss(j1, j2); s <= j2; ++s) triple[j1][j2][s] = n_triples++;
                column[j1][j2] = n_columns;
                n_columns += (j1 + 1) * (j2 + 1) * n_losses(j1, j2);
            }
    }

    // B(j1,j2,j) / (j+1) = B(j,j2,j1) / (j1+1), Thompson 2015, eq. 10.
    constexpr int component_of(int j1, int j2, int j) const {
        if (j >= j1) return component[j1][j2][j];
        return j >= j2 ? component[j][j2][j1] : component[j2][j][j1];
    }
};

constexpr Numbers numbers;
constexpr int n_components = numbers.n_components;
constexpr int n_triples = numbers.n_triples;

struct ColumnTable {
    Real value[numbers.n_columns] = {};

    constexpr ColumnTable() {
        int k = 0;
        for (int j1 = 0; j1 <= twojmax; ++j1)
            for (int j2 = 0; j2 <= j1; ++j2)
                for (int m1 = 0; m1 <= j1; ++m1)
                    for (int m2 = 0; m2 <= j2; ++m2)
                        for (int s = first_loss(j1, j2); s <= j2; ++s)
                            value[k++] = Real(column_coefficient(j1, j2, s, m1, m2));
    }
};

// Constant memory has 64 kB, which the table of 2Jmax 10 exceeds: that one lies in global memory.
#if DIVERSE_TWOJMAX < 10
__constant__ constexpr ColumnTable column_table;
#else
__device__ constexpr ColumnTable column_table;
#endif

// The coefficients of columns m1 and m2 of levels j1 and j2, of loss first_loss(j1, j2) on.
template <int j1, int j2>
DEVICE const Real* column_coefficients(int m1, int m2) {
    constexpr int start = numbers.column[j1][j2], n = n_losses(j1, j2);
    return column_table.value + start + (m1 * (j2 + 1) + m2) * n;
}

// Triples that make one component: the one with j >= j1 first, then its up to two permutations.
struct ComponentTable {
    int triple[n_components][3] = {};
    int n_triples[n_components] = {};
    int level[n_components] = {};

    constexpr ComponentTable() {
        for (int pass = 0; pass < 2; ++pass)
            for (int j1 = 0; j1 <= twojmax; ++j1)
                for (int j2 = 0; j2 <= j1; ++j2)
                    for (int s = first_loss(j1, j2); s <= j2; ++s) {
                        const int j = j1 + j2 - 2 * s, k = numbers.component_of(j1, j2, j);
                        if ((j < j1) != (pass == 1)) continue;
                        if (pass == 0) level[k] = j;
                        triple[k][n_triples[k]++] = numbers.triple[j1][j2][s];
                    }
    }
};

__constant__ constexpr ComponentTable component_table;

}  // namespace diverse
