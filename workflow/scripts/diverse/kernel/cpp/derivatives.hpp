// Derivatives of the harmonics: the derivative of a level is the level below it.
//
// From v_j[mb](t) = (conj(a) - conj(b) t)^(j-mb) (b + a t)^mb (recursion.hpp) follow
//     d v_j[mb][ma] / d conj(a) = (j-mb) v_{j-1}[mb][ma],
//     d v_j[mb][ma] / d conj(b) = -(j-mb) v_{j-1}[mb][ma-1],
//     d v_j[mb][ma] / d a = mb v_{j-1}[mb-1][ma-1],
//     d v_j[mb][ma] / d b = mb v_{j-1}[mb-1][ma]        (Tables::list_derivatives).
// So the four partial derivatives of S(q) = sum_j <y_j, v_j(q)> in the quaternion q = (a, b) are
// sums of the same kind, with other coefficients, over the levels below 2Jmax. These coefficients
// are made once per atom; no neighbour needs a recursion for derivatives of its own.
// And v_j is homogeneous of degree j in q, so that S_j itself is q . grad S_j / j (Euler).
#pragma once

#include "recursion.hpp"

namespace diverse {

// For one element of a level: coefficients of the derivatives by Re a, Im a, Re b, Im b.
template <class T>
struct Partial {
    Complex<T> by[4];
};

// Coefficients of the partial derivatives of the level-j part of S, for the elements of level
// j - 1, from the coefficients y of S.
template <class T>
inline void differentiate_level(const Tables<T>& t, int j, const Complex<T>* y,
                                Partial<T>* partial) {
    for (int h = t.half_start[j - 1]; h < t.half_start[j]; ++h) partial[h] = Partial<T>{};
    for (int i = t.derivative_start[j]; i < t.derivative_start[j + 1]; ++i) {
        const DerivativeTerm<T>& term = t.derivatives[i];
        const Complex<T> c = {term.factor * y[term.upper].re, term.factor_im * y[term.upper].im};
        Complex<T>* by = partial[term.lower].by + 2 * term.variable;
        by[0] += c;
        add_scaled(by[1], term.variable_sign, Complex<T>{c.im, -c.re});
    }
}

// The transpose: from sums over the neighbours of v times a change of the quaternion, one for
// each of its four coordinates, to the change of sum_j v_j. Adds to du.
template <class T>
inline void gather_level(const Tables<T>& t, int j, const Partial<T>* moments, Complex<T>* du) {
    for (int i = t.derivative_start[j]; i < t.derivative_start[j + 1]; ++i) {
        const DerivativeTerm<T>& term = t.derivatives[i];
        const Complex<T>* by = moments[term.lower].by + 2 * term.variable;
        du[term.upper].re += term.factor * (by[0].re - term.variable_sign * by[1].im);
        du[term.upper].im += term.factor_im * (by[0].im + term.variable_sign * by[1].re);
    }
}

// Value and quaternion gradient of S at one neighbour.
template <class T>
struct ValueAndGradient {
    Lanes<T> value;
    Quaternion<T> gradient;
};

// Adds what level j contributes to S, given the gradient of that part.
template <class T>
inline void add_level(int j, const Quaternion<T>& q, const Quaternion<T>& level_gradient,
                      ValueAndGradient<T>& sum) {
    sum.value += static_cast<T>(1. / j) * dot(q, level_gradient);
    sum.gradient.a += level_gradient.a;
    sum.gradient.b += level_gradient.b;
}

template <class T>
inline void add_element(const Partial<T>& c, const Complex<T>& v, Quaternion<T>& re,
                        Quaternion<T>& im) {
    re.a.re += c.by[0].re * v.re;
    re.a.im += c.by[1].re * v.re;
    re.b.re += c.by[2].re * v.re;
    re.b.im += c.by[3].re * v.re;
    im.a.re += c.by[0].im * v.im;
    im.a.im += c.by[1].im * v.im;
    im.b.re += c.by[2].im * v.im;
    im.b.im += c.by[3].im * v.im;
}

template <class T>
inline Quaternion<T> sum_of(const Quaternion<T>& p, const Quaternion<T>& q) {
    return {{p.a.re + q.a.re, p.a.im + q.a.im}, {p.b.re + q.b.re, p.b.im + q.b.im}};
}

// Gradient of S with respect to the vector to one neighbour. y0: the coefficient of v_0 = 1.
template <class T>
inline Vector3<T> neighbour_gradient(const Tables<T>& t, const Neighbour<T>& p, Lanes<T> y0,
                                     const Partial<T>* partial, LevelPair<T>& levels) {
    levels.of(0)[0] = {all_lanes<T>(1), Lanes<T>{}};
    ValueAndGradient<T> sum{y0, {}};
    add_level(1, p.q,
              {{partial[0].by[0].re, partial[0].by[1].re},
               {partial[0].by[2].re, partial[0].by[3].re}}, sum);
    for (int j = 2; j <= t.twojmax; ++j) {
        const Partial<T>* c = partial + t.half_start[j - 1];
        Quaternion<T> re{}, im{};  // apart, so that eight sums can proceed side by side
        raise_level(j - 1, p.q, levels, [&](int i, const Complex<T>& v) {
            add_element(c[i], v, re, im);
        });
        add_level(j, p.q, sum_of(re, im), sum);
    }
    return vector_gradient(p, sum.value, sum.gradient);
}

// y <- coefficients of v from the adjoint Y of the half of U.
template <class T>
inline void scale_adjoint(const Tables<T>& t, int first, int last, Complex<T>* y) {
    for (int h = first; h < last; ++h) {
        const T scale = t.weight[h] * t.norm[h];
        y[h].re *= scale;
        y[h].im *= scale;
    }
}

// One neighbour's part in U and in the moments behind the change of U along dq and dw = dr w'.
// The change of w v_j is w grad v_j . dq + dw v_j = grad v_j . (w dq + dw q / j).
template <class T>
inline void add_neighbour_tangent(const Tables<T>& t, const Neighbour<T>& p, Lanes<T> dw,
                                  const Quaternion<T>& dq, LevelPair<T>& levels,
                                  Complex<T>* half, Partial<T>* moments) {
    levels.of(0)[0] = {all_lanes<T>(1), Lanes<T>{}};
    const Lanes<T> w = p.weight;
    const Lanes<T> d[4] = {w * dq.a.re, w * dq.a.im, w * dq.b.re, w * dq.b.im};
    const Lanes<T> s[4] = {dw * p.q.a.re, dw * p.q.a.im, dw * p.q.b.re, dw * p.q.b.im};
    half[0].re += w;
    for (int k = 0; k < 4; ++k) moments[0].by[k].re += d[k] + s[k];
    for (int j = 1; j < t.twojmax; ++j) {
        const T share = 1. / (j + 1);
        const Lanes<T> e0 = d[0] + share * s[0], e1 = d[1] + share * s[1];
        const Lanes<T> e2 = d[2] + share * s[2], e3 = d[3] + share * s[3];
        Complex<T>* sum = half + t.half_start[j];
        Partial<T>* moment = moments + t.half_start[j];
        raise_level(j, p.q, levels, [&](int i, const Complex<T>& v) {
            add_scaled(sum[i], w, v);
            add_scaled(moment[i].by[0], e0, v);
            add_scaled(moment[i].by[1], e1, v);
            add_scaled(moment[i].by[2], e2, v);
            add_scaled(moment[i].by[3], e3, v);
        });
    }
    Complex<T>* sum = half + t.half_start[t.twojmax];
    raise_level(t.twojmax, p.q, levels, [&](int i, const Complex<T>& v) {
        add_scaled(sum[i], w, v);
    });
}

}  // namespace diverse
