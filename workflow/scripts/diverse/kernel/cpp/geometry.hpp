// From the vector to a neighbour to a point on the 3-sphere, and back again for derivatives.
//
// Thompson 2015, eqs. 1-4: the neighbour at r = |r| n is mapped to the polar angle
// theta0 = rfac0 pi (r - rmin0) / (cutoff - rmin0); the Cayley-Klein parameters of that rotation,
//     a = cos(theta0) - i n_z sin(theta0),    b = (n_y - i n_x) sin(theta0),
// are the four coordinates of a unit quaternion. The switching function is
// w = (cos(pi (r - rmin0) / (cutoff - rmin0)) + 1) / 2, and 0 from the cutoff on.
#pragma once

#include "lanes.hpp"

namespace diverse {

constexpr double pi = 3.14159265358979323846;

struct Radial {
    double cutoff, rfac0, rmin0;
};

template <class T>
struct Vector3 {
    Lanes<T> x, y, z;
};

template <class T>
inline Lanes<T> dot(const Vector3<T>& u, const Vector3<T>& v) {
    return u.x * v.x + u.y * v.y + u.z * v.z;
}

template <class T>
struct Quaternion {
    Complex<T> a, b;
};

template <class T>
inline Lanes<T> dot(const Quaternion<T>& p, const Quaternion<T>& q) {
    return dot(p.a, q.a) + dot(p.b, q.b);
}

template <class T>
struct Neighbour {
    Vector3<T> direction;  // n
    Lanes<T> inverse_r, sine, cosine;
    T angle_slope;  // d theta0 / d r
    Quaternion<T> q;
    Lanes<T> weight, weight_slope;  // w, dw/dr
};

template <class T>
struct SineCosine {
    Lanes<T> sine, cosine;
};

// Sine and cosine of angles in [0, pi]: Taylor series around pi/2; the first omitted term is
// (pi/2)^24 / 24! = 8e-20. No branches, so all lanes go together.
template <class T>
inline SineCosine<T> sine_cosine(Lanes<T> angle) {
    const Lanes<T> x = angle - static_cast<T>(pi / 2), x2 = x * x;
    Lanes<T> even = Lanes<T>{}, odd = Lanes<T>{};
    double inverse_factorial = 1 / 25852016738884976640000.;  // 1 / 23!
    for (int n = 11; n >= 0; --n) {
        const double sign = n % 2 ? -1 : 1;
        odd = odd * x2 + static_cast<T>(sign * inverse_factorial);
        inverse_factorial *= 2 * n + 1;
        even = even * x2 + static_cast<T>(sign * inverse_factorial);
        inverse_factorial *= n ? 2 * n : 1;
    }
    return {even, -x * odd};
}

template <class T>
inline Neighbour<T> locate(const Vector3<T>& vector, const Radial& radial) {
    Neighbour<T> p;
    const T switch_slope = pi / (radial.cutoff - radial.rmin0);
    p.angle_slope = radial.rfac0 * switch_slope;
    const Lanes<T> r = square_root<T>(dot(vector, vector));
    p.inverse_r = static_cast<T>(1) / r;
    p.direction = {vector.x * p.inverse_r, vector.y * p.inverse_r, vector.z * p.inverse_r};

    const auto inside = r < static_cast<T>(radial.cutoff);
    const Lanes<T> beyond_rmin0 = inside ? r - static_cast<T>(radial.rmin0) : Lanes<T>{};
    const SineCosine<T> theta0 = sine_cosine<T>(p.angle_slope * beyond_rmin0);
    p.sine = theta0.sine;
    p.cosine = theta0.cosine;
    p.q.a = {p.cosine, -p.direction.z * p.sine};
    p.q.b = {p.direction.y * p.sine, -p.direction.x * p.sine};

    const SineCosine<T> fade = sine_cosine<T>(switch_slope * beyond_rmin0);
    const T half = 0.5;
    p.weight = inside ? half * (fade.cosine + 1) : Lanes<T>{};
    p.weight_slope = inside ? -half * switch_slope * fade.sine : Lanes<T>{};
    return p;
}

// Gradient of w(r) F(q) with respect to the vector, from F and its gradient G in the quaternion.
// Only the vector part of q, m = -(b_im, -b_re, a_im) = n sin(theta0), turns with n.
template <class T>
inline Vector3<T> vector_gradient(const Neighbour<T>& p, Lanes<T> F, const Quaternion<T>& G) {
    const Vector3<T>& n = p.direction;
    const Vector3<T> g = {-G.b.im, G.b.re, -G.a.im};
    const Lanes<T> along = dot(n, g);
    const Lanes<T> turn = p.weight * p.sine * p.inverse_r;
    const Lanes<T> stretch =
        p.weight * p.angle_slope * (p.cosine * along - p.sine * G.a.re) + p.weight_slope * F;
    const Lanes<T> radial = stretch - turn * along;
    return {turn * g.x + radial * n.x, turn * g.y + radial * n.y, turn * g.z + radial * n.z};
}

// Change of q along the change t of the vector: the transpose of vector_gradient.
template <class T>
inline Quaternion<T> quaternion_tangent(const Neighbour<T>& p, const Vector3<T>& t) {
    const Vector3<T>& n = p.direction;
    const Lanes<T> along = dot(n, t);
    const Lanes<T> turn = p.sine * p.inverse_r;
    const Lanes<T> radial = (p.cosine * p.angle_slope - turn) * along;
    return {{-p.sine * p.angle_slope * along, -(turn * t.z + radial * n.z)},
            {turn * t.y + radial * n.y, -(turn * t.x + radial * n.x)}};
}

}  // namespace diverse
