// Complex numbers as pairs; every product is added to a sum, as two fused operations a part.
#pragma once

#include "platform.hpp"

namespace diverse {

struct alignas(2 * sizeof(Real)) Complex {
    Real re, im;
};

// z += x y
DEVICE void add_product(Complex& z, Complex x, Complex y) {
    z.re += x.re * y.re;
    z.re -= x.im * y.im;
    z.im += x.re * y.im;
    z.im += x.im * y.re;
}

// z += conj(x) y
DEVICE void add_conjugate_product(Complex& z, Complex x, Complex y) {
    z.re += x.re * y.re;
    z.re += x.im * y.im;
    z.im += x.re * y.im;
    z.im -= x.im * y.re;
}

// z -= conj(x) y
DEVICE void subtract_conjugate_product(Complex& z, Complex x, Complex y) {
    add_conjugate_product(z, {-x.re, -x.im}, y);
}

// z += f x
DEVICE void add_scaled(Complex& z, Real f, Complex x) {
    z.re += f * x.re;
    z.im += f * x.im;
}

// The real part of conj(x) y
DEVICE Real dot(Complex x, Complex y) { return x.re * y.re + x.im * y.im; }

}  // namespace diverse
