// Hyperspherical harmonics u_j[mb][ma] of one neighbour, level by level, and their sum U.
//
// Thompson 2015, eqs. 5-6 give u by a recursion over levels whose every step carries a square
// root. Rescaled, v = u / norm with norm = sqrt(ma! (j-ma)! / (mb! (j-mb)!)), it loses them all:
//     v_j[mb][ma] = conj(a) v_{j-1}[mb][ma] - conj(b) v_{j-1}[mb][ma-1].
// Read as polynomials in a dummy t, v_j[mb](t) = (conj(a) - conj(b) t)^(j-mb) (b + a t)^mb.
// The norm is put back once per atom, after the sum over its neighbours. v_0 = 1.
#pragma once

#include "geometry.hpp"
#include "tables.hpp"

namespace diverse {

constexpr int max_level_size = max_rows * (max_twojmax / 2 + 1);

// The two levels that the recursion looks at.
template <class T>
struct LevelPair {
    alignas(64) Complex<T> level[2][max_level_size];
    Complex<T>* of(int j) { return level[j % 2]; }
};

// Column mb = j/2 of level j - 1 lies beyond the stored half: rebuild it from its mirror image.
template <class T>
inline void mirror_column(int j, const Complex<T>* column, Complex<T>* mirror) {
    for (int ma = 0; ma < j; ++ma) {
        const Complex<T>& z = column[j - 1 - ma];
        const bool odd = (ma + j / 2) % 2;
        mirror[ma] = {odd ? -z.re : z.re, odd ? z.im : -z.im};
    }
}

// Makes level j from level j - 1 and calls visit(index within the level, value) on the way.
template <class T, class Visit>
inline void raise_level(int j, const Quaternion<T>& q, LevelPair<T>& levels, Visit visit) {
    const Complex<T> a = q.a, b = q.b;
    const Complex<T>* column = levels.of(j - 1);
    Complex<T>* out = levels.of(j);
    Complex<T> mirror[max_rows];
    int index = 0;
    for (int mb = 0; 2 * mb <= j; ++mb, column += j) {
        if (2 * mb == j) {
            mirror_column(j, column - j, mirror);
            column = mirror;
        }
        Complex<T> carry{};  // conj(b) v[ma - 1]
        for (int ma = 0; ma < j; ++ma, ++index) {
            const Complex<T> v = column[ma];
            const Complex<T> raised = {a.re * v.re + a.im * v.im - carry.re,
                                       a.re * v.im - a.im * v.re - carry.im};
            carry = {b.re * v.re + b.im * v.im, b.re * v.im - b.im * v.re};
            out[index] = raised;
            visit(index, raised);
        }
        const Complex<T> last = {-carry.re, -carry.im};
        out[index] = last;
        visit(index, last);
        ++index;
    }
}

// Adds w v of one neighbour to the half of U.
template <class T>
inline void add_neighbour(const Tables<T>& t, const Neighbour<T>& p, LevelPair<T>& levels,
                          Complex<T>* half) {
    levels.of(0)[0] = {all_lanes<T>(1), Lanes<T>{}};
    half[0].re += p.weight;
    for (int j = 1; j <= t.twojmax; ++j) {
        Complex<T>* sum = half + t.half_start[j];
        raise_level(j, p.q, levels, [&](int i, const Complex<T>& v) {
            add_scaled(sum[i], p.weight, v);
        });
    }
}

// Half of the neighbour sum of v -> all elements of U, with the norm and the atom's own share
// (1 where ma = mb: wselfflag of LAMMPS, one element).
template <class T>
inline void complete_sum(const Tables<T>& t, const Complex<T>* half, Complex<T>* full) {
    int h = 0;
    for (int j = 0; j <= t.twojmax; ++j) {
        const int start = t.full_start[j], end = start + (j + 1) * (j + 1) - 1;
        for (int mb = 0; 2 * mb <= j; ++mb)
            for (int ma = 0; ma <= j; ++ma, ++h) {
                Complex<T> u = {half[h].re * t.norm[h], half[h].im * t.norm[h]};
                if (ma == mb) u.re += static_cast<T>(1);
                const int f = mb * (j + 1) + ma;
                const bool odd = (ma + mb) % 2;
                full[start + f] = u;
                if (2 * mb < j) full[end - f] = {odd ? -u.re : u.re, odd ? u.im : -u.im};
            }
    }
}

}  // namespace diverse
