// The Clebsch-Gordan products Z and what is made of them: most of the kernel's time.
//
// Thompson 2015, eqs. 8-9 (SNA::compute_zi, compute_bi in LAMMPS):
//     Z_j[mb][ma] = sum over m1b + m2b = mb + s of C(m1b, m2b)
//                   sum over m1a + m2a = ma + s of C(m1a, m2a) U_j1[m1b][m1a] U_j2[m2b][m2a],
//     B(j1, j2, j) = sum over mb, ma of conj(U_j[mb][ma]) Z_j[mb][ma].
// Three things make it fast:
// - For one pair of columns (m1b, m2b) the products U U are formed once and serve every level j.
// - The products with equal d = m1a + m2a, an antidiagonal, stay in registers meanwhile.
// - Z is consumed element by element as it is made, never stored: a consumer gets add(s, d, q),
//   to be multiplied by the coefficient of the columns, for element ma = d - s of column
//   mb = m1b + m2b - s of level j = j1 + j2 - 2 s.
#pragma once

#include <algorithm>
#include <utility>

#include "lanes.hpp"
#include "tables.hpp"

namespace diverse {

// One pair of columns; the shorter one, of level j2 <= j1, has `rows` elements. The antidiagonals
// grow to that many products, keep the length, and shrink again. Each length has code of its own,
// unrolled, in the order of use: no jump whose aim the processor would have to guess.
template <class T, class Consumer>
class ColumnPair {
public:
    // Of a middle column only the rows ma <= mb are kept. first, last: losses.
    ColumnPair(const Tables<T>& t, const Complex<T>* full, const LevelProduct<T>& p, int m1, int m2,
               int first, int last, Consumer& consumer)
        : p_(p), rows_(p.j2 + 1), sum_(p.j1 + p.j2), first_(first), last_(last),
          last_d_(2 * (m1 + m2) == sum_ ? sum_ / 2 : sum_ - first),
          x_(full + t.full_start[p.j1] + (p.j1 + 1) * m1),
          y_(full + t.full_start[p.j2] + (p.j2 + 1) * m2), consumer_(consumer) {}

    void multiply() const { multiply(std::make_integer_sequence<int, max_rows>{}); }

private:
    template <int... k>
    void multiply(std::integer_sequence<int, k...>) const {
        (grow<k + 1>(), ...);
        (keep<k + 1>(), ...);
        (shrink<max_rows - k>(), ...);
    }

    template <int n>
    [[gnu::always_inline]] inline void grow() const {
        const int d = n - 1;
        if (n < rows_ && first_ <= d && d <= last_d_) antidiagonal<n>(d);
    }

    template <int n>
    [[gnu::always_inline]] inline void keep() const {
        if (n != rows_) return;
        const int last_d = std::min(p_.j1, last_d_);
        for (int d = std::max(p_.j2, first_); d <= last_d; ++d) antidiagonal<n>(d);
    }

    template <int n>
    [[gnu::always_inline]] inline void shrink() const {
        const int d = sum_ + 1 - n;
        if (n < rows_ && first_ <= d && d <= last_d_) antidiagonal<n>(d);
    }

    // n products of x[0..n-1] with y[0], y[-1], ..., summed for each loss s.
    template <int n>
    [[gnu::always_inline]] inline void antidiagonal(int d) const {
        const int a = p_.first_row(d), last = std::min(last_, n - 1);
        const T* c = &p_.row_coefficient[p_.row_start[d]];
        Complex<T> products[n];
        for (int k = 0; k < n; ++k) products[k] = product(x_[a + k], y_[d - a - k]);
        for (int s = first_; s <= last; ++s, c += n) {
            Complex<T> q = {c[0] * products[0].re, c[0] * products[0].im};
            for (int k = 1; k < n; ++k) add_scaled(q, c[k], products[k]);
            consumer_.add(s, d, q);
        }
    }

    const LevelProduct<T>& p_;
    const int rows_, sum_, first_, last_, last_d_;
    const Complex<T> *x_, *y_;
    Consumer& consumer_;
};

// Every product that ends in the stored half of a level. unique: only those with j >= j1, enough
// for B; the derivatives need them all. For j1 = j2 swapping the columns changes nothing.
template <class T, class Consumer>
inline void for_each_product(const Tables<T>& t, const Complex<T>* full, bool unique,
                             Consumer& consumer) {
    for (const LevelProduct<T>& p : t.products)
        for (int m2 = 0; m2 <= p.j2; ++m2) {
            const int last_m1 = std::min((p.j1 + p.j2) / 2 - m2, p.j1 == p.j2 ? m2 : p.j1);
            for (int m1 = 0; m1 <= last_m1; ++m1) {
                const int first = p.first_loss, last = std::min(unique ? p.j2 / 2 : p.j2, m1 + m2);
                if (first > last) continue;
                consumer.open(p, m1, m2, first, last);
                ColumnPair<T, Consumer>(t, full, p, m1, m2, first, last, consumer).multiply();
                consumer.close(p, first, last);
            }
        }
}

// What all consumers need: where a column lies, and its coefficient.
template <class T>
class ColumnConsumer {
public:
    explicit ColumnConsumer(const Tables<T>& t) : t_(t) {}

protected:
    // Offset such that element d - s of the column is at offset + d in the stored half.
    int offset(const LevelProduct<T>& p, int s, int m1, int m2) const {
        return t_.half(p.level(s), m1 + m2 - s, -s);
    }
    T coefficient(const LevelProduct<T>& p, int s, int m1, int m2) const {
        return p.column(s, m1, m2) * static_cast<T>(p.j1 == p.j2 && m1 != m2 ? 2 : 1);
    }
    const Tables<T>& t_;
};

// B and its directional derivative: out[component] += <target, Z>. With multiplicity when the
// target is a change of U, which may sit in any of the three factors of B.
template <class T, bool with_multiplicity>
class Contraction : ColumnConsumer<T> {
public:
    Contraction(const Tables<T>& t, const Complex<T>* target, Lanes<T>* out)
        : ColumnConsumer<T>(t), target_(target), out_(out) {}

    void open(const LevelProduct<T>& p, int m1, int m2, int first, int last) {
        for (int s = first; s <= last; ++s) {
            column_[s] = target_ + this->offset(p, s, m1, m2);
            scale_[s] = this->coefficient(p, s, m1, m2);
            if (with_multiplicity) scale_[s] *= p.multiplicity[s];
            sum_[s] = Lanes<T>{};
        }
    }
    void add(int s, int d, const Complex<T>& q) { sum_[s] += dot(column_[s][d], q); }
    void close(const LevelProduct<T>& p, int first, int last) {
        for (int s = first; s <= last; ++s) out_[p.component[s]] += scale_[s] * sum_[s];
    }

private:
    const Complex<T>* target_;
    Lanes<T>* out_;
    const Complex<T>* column_[max_rows];
    T scale_[max_rows];
    Lanes<T> sum_[max_rows];
};

// Y, the adjoint of U: Y[element] += cotangent of the component * multiplicity * Z[element]
// (SNA::compute_yi in LAMMPS; Bartok 2013, appendix, gives the derivative it comes from).
template <class T>
class Adjoint : ColumnConsumer<T> {
public:
    Adjoint(const Tables<T>& t, const Lanes<T>* cotangent, Complex<T>* y)
        : ColumnConsumer<T>(t), cotangent_(cotangent), y_(y) {}

    void open(const LevelProduct<T>& p, int m1, int m2, int first, int last) {
        for (int s = first; s <= last; ++s) {
            column_[s] = y_ + this->offset(p, s, m1, m2);
            scale_[s] = cotangent_[p.component[s]] *
                        (this->coefficient(p, s, m1, m2) * p.multiplicity[s]);
        }
    }
    void add(int s, int d, const Complex<T>& q) { add_scaled(column_[s][d], scale_[s], q); }
    void close(const LevelProduct<T>&, int, int) {}

private:
    const Lanes<T>* cotangent_;
    Complex<T>* y_;
    Complex<T>* column_[max_rows];
    Lanes<T> scale_[max_rows];
};

// Z itself, each triple (j1, j2, j) in a piece of its own: for the Jacobian.
template <class T>
class Storage : ColumnConsumer<T> {
public:
    // start[triple]: where its piece begins, in elements of z.
    Storage(const Tables<T>& t, const int* start, Complex<T>* z)
        : ColumnConsumer<T>(t), start_(start), z_(z) {}

    void open(const LevelProduct<T>& p, int m1, int m2, int first, int last) {
        for (int s = first; s <= last; ++s) {
            const int level_start = this->t_.half_start[p.level(s)];
            column_[s] = z_ + start_[p.triple[s]] + this->offset(p, s, m1, m2) - level_start;
            scale_[s] = this->coefficient(p, s, m1, m2);
        }
    }
    void add(int s, int d, const Complex<T>& q) { add_scaled(column_[s][d], scale_[s], q); }
    void close(const LevelProduct<T>&, int, int) {}

private:
    const int* start_;
    Complex<T>* z_;
    Complex<T>* column_[max_rows];
    T scale_[max_rows];
};

}  // namespace diverse
