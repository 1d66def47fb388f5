// Numbers that depend on 2Jmax alone: where things lie in memory, and with which coefficients.
//
// References: Bartok, Kondor, Csanyi, Phys. Rev. B 87, 184115 (2013);
// Thompson, Swiler, Trott, Foiles, Tucker, J. Comput. Phys. 285, 316 (2015), "SNAP".
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "clebsch_gordan.hpp"

namespace diverse {

constexpr int max_twojmax = 14;
constexpr int max_rows = max_twojmax + 1;

// The products of level j1 with level j2 <= j1. They land in the levels j = j1 + j2 - 2 s;
// s, the "loss", runs from first_loss (j <= 2Jmax) to j2.
template <class T>
struct LevelProduct {
    int j1, j2, first_loss;
    std::vector<int> component;         // of loss s: the B that (j1, j2, j) contributes to
    std::vector<T> multiplicity;        // of loss s: in the adjoint, see clebsch_gordan.hpp
    std::vector<int> triple;            // of loss s: running number of (j1, j2, j)
    std::vector<T> column_coefficient;  // [s][m1][m2]
    std::vector<T> row_coefficient;     // [d][s][a], only what is not zero; d = a + (row of j2)
    std::vector<int> row_start;         // of d: where its coefficients begin

    int level(int s) const { return j1 + j2 - 2 * s; }
    int first_row(int d) const { return std::max(0, d - j2); }
    int n_rows(int d) const { return std::min(j1, d) - first_row(d) + 1; }
    T column(int s, int m1, int m2) const {
        return column_coefficient[(s * (j1 + 1) + m1) * (j2 + 1) + m2];
    }
};

// One term of d v_upper = factor * v_lower * dx, see derivatives.hpp.
template <class T>
struct DerivativeTerm {
    int upper, lower;        // elements of level j and of level j - 1
    int variable;            // 0: x = a, 1: x = b
    T factor;                // multiplies the real part of the upper element ...
    T factor_im;             // ... and its imaginary part: -factor where it enters conjugated
    T variable_sign;         // -1 where x enters conjugated, else +1
};

template <class T>
struct Tables {
    int twojmax;
    int n_full = 0, n_half = 0, n_components = 0, n_triples = 0;
    std::vector<int> full_start, half_start;  // of level j; element (mb, ma) is at mb (j+1) + ma
    std::vector<T> norm;                      // of half element: u = norm * v, see recursion.hpp
    std::vector<T> weight;                    // of half element: share in a sum over all elements
    std::vector<int> component_level;         // j of component (j1, j2, j)
    std::vector<int> triple_level;            // j of triple (j1, j2, j)
    std::vector<std::vector<int>> triples_of_component;
    std::vector<T> triple_multiplicity;
    std::vector<LevelProduct<T>> products;
    std::vector<DerivativeTerm<T>> derivatives;  // sorted by the level of the upper element
    std::vector<int> derivative_start;           // of level j

    explicit Tables(int twojmax) : twojmax(twojmax) {
        lay_out_levels();
        number_components();
        for (int j1 = 0; j1 <= twojmax; ++j1)
            for (int j2 = 0; j2 <= j1; ++j2) products.push_back(level_product(j1, j2));
        list_derivatives();
    }

    int half_size(int j) const { return (j + 1) * (j / 2 + 1); }
    int half(int j, int mb, int ma) const { return half_start[j] + mb * (j + 1) + ma; }

private:
    std::vector<int> number_of_;  // of (j1, j2, j)

    int& number_of(int j1, int j2, int j) {
        return number_of_[(j1 * (twojmax + 1) + j2) * (twojmax + 1) + j];
    }

    // Column j - mb of level j mirrors column mb: u[j-mb][j-ma] = (-1)^(ma-mb) conj(u[mb][ma]).
    // So the half with 2 mb <= j suffices, and its elements count twice in sums over all.
    // In the middle column, 2 mb = j, the rows mirror each other: keep ma <= mb.
    void lay_out_levels() {
        for (int j = 0; j <= twojmax; ++j) {
            full_start.push_back(n_full);
            half_start.push_back(n_half);
            n_full += (j + 1) * (j + 1);
            n_half += half_size(j);
            for (int mb = 0; 2 * mb <= j; ++mb)
                for (int ma = 0; ma <= j; ++ma) {
                    norm.push_back(std::sqrt(factorial(ma) * factorial(j - ma) /
                                             (factorial(mb) * factorial(j - mb))));
                    weight.push_back(2 * mb < j || ma < mb ? 2 : (ma == mb ? 1 : 0));
                }
        }
    }

    // The order of LAMMPS (SNA::build_indexlist): only j >= j1 is a component of its own.
    void number_components() {
        number_of_.assign((twojmax + 1) * (twojmax + 1) * (twojmax + 1), -1);
        for (int j1 = 0; j1 <= twojmax; ++j1)
            for (int j2 = 0; j2 <= j1; ++j2)
                for (int j = j1 - j2; j <= std::min(twojmax, j1 + j2); j += 2)
                    if (j >= j1) {
                        number_of(j1, j2, j) = n_components++;
                        component_level.push_back(j);
                    }
        triples_of_component.resize(n_components);
    }

    // B of (j1, j2, j) is symmetric: B(j1,j2,j)/(j+1) = B(j,j2,j1)/(j1+1), Thompson 2015, eq. 10.
    int component_of(int j1, int j2, int j) {
        if (j >= j1) return number_of(j1, j2, j);
        return j >= j2 ? number_of(j, j2, j1) : number_of(j2, j, j1);
    }

    LevelProduct<T> level_product(int j1, int j2) {
        LevelProduct<T> p;
        p.j1 = j1;
        p.j2 = j2;
        p.first_loss = std::max(0, (j1 + j2 - twojmax + 1) / 2);
        for (int s = 0; s <= j2; ++s) add_loss(p, s);
        for (int d = 0; d <= j1 + j2; ++d) {
            p.row_start.push_back(static_cast<int>(p.row_coefficient.size()));
            const int last = std::min({j2, d, j1 + j2 - d});
            for (int s = p.first_loss; s <= last; ++s)
                for (int a = p.first_row(d); a < p.first_row(d) + p.n_rows(d); ++a)
                    p.row_coefficient.push_back(clebsch_gordan(j1, j2, p.level(s), a, d - a));
        }
        return p;
    }

    void add_loss(LevelProduct<T>& p, int s) {
        const int j1 = p.j1, j2 = p.j2, j = p.level(s);
        const bool kept = s >= p.first_loss;
        p.component.push_back(kept ? component_of(j1, j2, j) : -1);
        p.multiplicity.push_back(multiplicity(j1, j2, j));
        p.triple.push_back(kept ? n_triples : -1);
        for (int m1 = 0; m1 <= j1; ++m1)
            for (int m2 = 0; m2 <= j2; ++m2)
                p.column_coefficient.push_back(clebsch_gordan(j1, j2, j, m1, m2));
        if (!kept) return;
        triples_of_component[p.component.back()].push_back(n_triples++);
        triple_level.push_back(j);
        triple_multiplicity.push_back(p.multiplicity.back());
    }

    // The four partial derivatives of element (mb, ma) of level j, see derivatives.hpp.
    void list_derivatives() {
        derivative_start.assign(2, 0);
        for (int j = 1; j <= twojmax; ++j) {
            for (int mb = 0; 2 * mb <= j; ++mb)
                for (int ma = 0; ma <= j; ++ma) {
                    add_derivative(j, mb, ma, mb, ma, 0, -1, j - mb);
                    add_derivative(j, mb, ma, mb, ma - 1, 1, -1, mb - j);
                    add_derivative(j, mb, ma, mb - 1, ma - 1, 0, +1, mb);
                    add_derivative(j, mb, ma, mb - 1, ma, 1, +1, mb);
                }
            derivative_start.push_back(static_cast<int>(derivatives.size()));
        }
    }

    void add_derivative(int j, int mb, int ma, int lower_mb, int lower_ma, int variable,
                        int variable_sign, int factor) {
        if (factor == 0 || lower_ma < 0 || lower_ma >= j) return;
        int upper_sign = 1;
        if (2 * lower_mb > j - 1) {  // in the mirrored half: conjugate the whole term
            if ((lower_ma - lower_mb) % 2) factor = -factor;
            lower_mb = j - 1 - lower_mb;
            lower_ma = j - 1 - lower_ma;
            upper_sign = -1;
            variable_sign = -variable_sign;
        }
        derivatives.push_back({half(j, mb, ma), half(j - 1, lower_mb, lower_ma), variable,
                               static_cast<T>(factor), static_cast<T>(upper_sign * factor),
                               static_cast<T>(variable_sign)});
    }
};

}  // namespace diverse
