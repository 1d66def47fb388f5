// From the vector to a neighbour to a point on the 3-sphere: cpp/geometry.hpp, one pair a thread.
//
// Thompson et al., J. Comput. Phys. 285, 316 (2015), eqs. 1-4:
//     theta0 = rfac0 pi (r - rmin0) / (cutoff - rmin0),
//     a = cos(theta0) - i n_z sin(theta0),    b = (n_y - i n_x) sin(theta0),
//     w = (cos(pi (r - rmin0) / (cutoff - rmin0)) + 1) / 2, and 0 from the cutoff on.
#pragma once

#include <cmath>

#include "complex.hpp"
#include "unrolled.hpp"

namespace diverse {

constexpr double pi = 3.14159265358979323846;

struct Radial {
    Real cutoff, rmin0, angle_slope, switch_slope;

    Radial(double cutoff, double rfac0, double rmin0)
        : cutoff(Real(cutoff)), rmin0(Real(rmin0)),
          angle_slope(Real(rfac0 * pi / (cutoff - rmin0))),
          switch_slope(Real(pi / (cutoff - rmin0))) {}
};

struct Vector3 {
    Real x, y, z;
};

DEVICE Vector3 vector_at(const Real* rows, std::int64_t pair) {
    return {rows[3 * pair], rows[3 * pair + 1], rows[3 * pair + 2]};
}

DEVICE Real dot(const Vector3& u, const Vector3& v) { return u.x * v.x + u.y * v.y + u.z * v.z; }

struct Quaternion {
    Complex a, b;
};

DEVICE Real dot(const Quaternion& p, const Quaternion& q) { return dot(p.a, q.a) + dot(p.b, q.b); }

struct Neighbour {
    Vector3 direction;  // n
    Real inverse_r, sine, cosine;
    Quaternion q;
    Real weight, weight_slope;  // w, dw/dr
};

constexpr double inverse_factorial(int n) {
    double f = 1;
    for (int k = 2; k <= n; ++k) f /= k;
    return f;
}

// Sine and cosine of an angle in [0, pi]: Taylor series around pi/2, to the precision of Real.
DEVICE void sine_cosine(Real angle, Real& sine, Real& cosine) {
    constexpr int last = sizeof(Real) == 8 ? 11 : 7;
    const Real x = angle - Real(pi / 2), x2 = x * x;
    Real even = 0, odd = 0;
    unrolled<0, last + 1>([&](auto i) {
        constexpr int n = last - i;
        constexpr int sign = n % 2 ? -1 : 1;
        constexpr Real of_odd = Real(sign * inverse_factorial(2 * n + 1));
        constexpr Real of_even = Real(sign * inverse_factorial(2 * n));
        odd = odd * x2 + of_odd;
        even = even * x2 + of_even;
    });
    sine = even;
    cosine = -x * odd;
}

DEVICE Neighbour locate(const Vector3& vector, const Radial& radial) {
    Neighbour p;
    const Real r = sqrt(dot(vector, vector));
    p.inverse_r = Real(1) / r;
    p.direction = {vector.x * p.inverse_r, vector.y * p.inverse_r, vector.z * p.inverse_r};
    const bool inside = r < radial.cutoff;
    const Real beyond_rmin0 = inside ? r - radial.rmin0 : Real(0);
    sine_cosine(radial.angle_slope * beyond_rmin0, p.sine, p.cosine);
    p.q.a = {p.cosine, -p.direction.z * p.sine};
    p.q.b = {p.direction.y * p.sine, -p.direction.x * p.sine};
    Real fade_sine, fade_cosine;
    sine_cosine(radial.switch_slope * beyond_rmin0, fade_sine, fade_cosine);
    p.weight = inside ? Real(0.5) * (fade_cosine + Real(1)) : Real(0);
    p.weight_slope = inside ? Real(-0.5) * radial.switch_slope * fade_sine : Real(0);
    return p;
}

// Gradient of w(r) F(q) with respect to the vector, from F and its gradient G in the quaternion.
DEVICE Vector3 vector_gradient(const Neighbour& p, const Radial& radial, Real F,
                               const Quaternion& G) {
    const Vector3& n = p.direction;
    const Vector3 g = {-G.b.im, G.b.re, -G.a.im};
    const Real along = dot(n, g);
    const Real turn = p.weight * p.sine * p.inverse_r;
    const Real stretch = p.weight * radial.angle_slope * (p.cosine * along - p.sine * G.a.re);
    const Real part = stretch + p.weight_slope * F - turn * along;
    return {turn * g.x + part * n.x, turn * g.y + part * n.y, turn * g.z + part * n.z};
}

// Change of q along the change t of the vector: the transpose of vector_gradient.
DEVICE Quaternion quaternion_tangent(const Neighbour& p, const Radial& radial, const Vector3& t) {
    const Vector3& n = p.direction;
    const Real along = dot(n, t);
    const Real turn = p.sine * p.inverse_r;
    const Real part = (p.cosine * radial.angle_slope - turn) * along;
    return {{-p.sine * radial.angle_slope * along, -(turn * t.z + part * n.z)},
            {turn * t.y + part * n.y, -(turn * t.x + part * n.x)}};
}

}  // namespace diverse
