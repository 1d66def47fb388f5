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

#include "lanes.hpp"
#include "tables.hpp"

namespace diverse {

// One antidiagonal: n products of x[0..n-1] with y[0], y[-1], ..., summed for each loss s.
template <int n, class T, class Consumer>
inline void antidiagonal(const Complex<T>* x, const Complex<T>* y, const T* c, int d, int first,
                         int last, Consumer& consumer) {
    Complex<T> p[n];
    for (int k = 0; k < n; ++k) p[k] = product(x[k], y[-k]);
    for (int s = first; s <= last; ++s, c += n) {
        Complex<T> q = {c[0] * p[0].re, c[0] * p[0].im};
        for (int k = 1; k < n; ++k) add_scaled(q, c[k], p[k]);
        consumer.add(s, d, q);
    }
}

// Chooses the antidiagonal of the right length, so that the compiler unrolls each of them.
template <class T, class Consumer>
inline void antidiagonal_of_length(int n, const Complex<T>* x, const Complex<T>* y, const T* c,
                                   int d, int first, int last, Consumer& consumer) {
    switch (n) {
#define DIVERSE_CASE(N) \
    case N: return antidiagonal<N>(x, y, c, d, first, last, consumer);
        DIVERSE_CASE(1) DIVERSE_CASE(2) DIVERSE_CASE(3) DIVERSE_CASE(4) DIVERSE_CASE(5)
        DIVERSE_CASE(6) DIVERSE_CASE(7) DIVERSE_CASE(8) DIVERSE_CASE(9) DIVERSE_CASE(10)
        DIVERSE_CASE(11) DIVERSE_CASE(12) DIVERSE_CASE(13) DIVERSE_CASE(14) DIVERSE_CASE(15)
#undef DIVERSE_CASE
    }
}

// All antidiagonals of one pair of columns. Of a middle column only the rows ma <= mb are kept.
template <class T, class Consumer>
inline void multiply_columns(const Tables<T>& t, const Complex<T>* full, const LevelProduct<T>& p,
                             int m1, int m2, int last_loss, Consumer& consumer) {
    const int sum = p.j1 + p.j2, first = p.first_loss;
    const int last = std::min(last_loss, m1 + m2);
    if (first > last) return;
    const Complex<T>* x = full + t.full_start[p.j1] + (p.j1 + 1) * m1;
    const Complex<T>* y = full + t.full_start[p.j2] + (p.j2 + 1) * m2;
    const bool middle = 2 * (m1 + m2) == sum;
    const int last_d = middle ? sum / 2 : sum - first;

    consumer.open(p, m1, m2, first, last);
    for (int d = first; d <= last_d; ++d) {
        const int a = p.first_row(d);
        antidiagonal_of_length(p.n_rows(d), x + a, y + d - a, &p.row_coefficient[p.row_start[d]],
                               d, first, std::min({last, d, sum - d}), consumer);
    }
    consumer.close(p, first, last);
}

// Every product that ends in the stored half of a level. unique: only those with j >= j1, enough
// for B; the derivatives need them all. For j1 = j2 swapping the columns changes nothing.
template <class T, class Consumer>
inline void for_each_product(const Tables<T>& t, const Complex<T>* full, bool unique,
                             Consumer& consumer) {
    for (const LevelProduct<T>& p : t.products)
        for (int m2 = 0; m2 <= p.j2; ++m2) {
            const int last_m1 = std::min((p.j1 + p.j2) / 2 - m2, p.j1 == p.j2 ? m2 : p.j1);
            for (int m1 = 0; m1 <= last_m1; ++m1)
                multiply_columns(t, full, p, m1, m2, unique ? p.j2 / 2 : p.j2, consumer);
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
