// A periodic cell in a frame where it is a rectangular box.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

namespace diverse {

using Vec = std::array<double, 3>;
using Image = std::array<std::int32_t, 3>;

inline double dot(const Vec& u, const Vec& v) { return u[0] * v[0] + u[1] * v[1] + u[2] * v[2]; }

// floor and ceil for numbers that fit into an int: the baseline x86-64 has no instruction for it.
inline int floor_int(double x) {
    const int n = static_cast<int>(x);
    return n - (n > x);
}
inline int ceil_int(double x) { return -floor_int(-x); }

// The rows of the cell are L e, with L lower triangular and e three orthonormal vectors
// (Gram-Schmidt). In the frame of e, the lattice vector n1 h1 + n2 h2 + n3 h3 is
//     (n1 L11 + n2 L21 + n3 L31,  n2 L22 + n3 L32,  n3 L33).
// So any point can be brought into the box L11 x L22 x L33: along z by h3, then along y by h2,
// then along x by h1. However skewed the cell is, that box holds each of its points once.
struct Lattice {
    std::array<Vec, 3> axes;  // e
    std::array<Vec, 3> L;
    std::array<bool, 3> periodic;

    Lattice(const double* cell, const std::uint8_t* pbc) {
        for (int k = 0; k < 3; ++k) {
            const Vec row = {cell[3 * k], cell[3 * k + 1], cell[3 * k + 2]};
            periodic[k] = pbc[k];
            Vec rest = row;
            L[k] = {0, 0, 0};
            for (int m = 0; m < k; ++m) {
                L[k][m] = dot(row, axes[m]);
                for (int x = 0; x < 3; ++x) rest[x] -= L[k][m] * axes[m][x];
            }
            L[k][k] = std::sqrt(dot(rest, rest));
            for (int x = 0; x < 3; ++x) axes[k][x] = rest[x] / L[k][k];
        }
    }

    Vec rotated(const double* x) const {
        const Vec v = {x[0], x[1], x[2]};
        return {dot(v, axes[0]), dot(v, axes[1]), dot(v, axes[2])};
    }

    Vec moved(Vec c, int k, int n) const {
        for (int x = 0; x <= k; ++x) c[x] += n * L[k][x];
        return c;
    }

    // The lattice vector that brings a point into the box; the point is moved there.
    Image wrap(Vec& c) const {
        Image n = {0, 0, 0};
        for (int k = 2; k >= 0; --k)
            if (periodic[k]) {
                n[k] = -floor_int(c[k] / L[k][k]);
                c = moved(c, k, n[k]);
            }
        return n;
    }

    // Calls visit(image, place) for every image of a point between low and high.
    template <class Visit>
    void for_each_image(const Vec& c, const Vec& low, const Vec& high, Visit visit) const {
        along(2, c, {0, 0, 0}, low, high, visit);
    }

    // How many images of a point there are, about, between the box's faces and a margin outside.
    double images_within(double margin) const {
        double n = 1;
        for (int k = 0; k < 3; ++k)
            if (periodic[k]) n *= 1 + 2 * margin / L[k][k];
        return n;
    }

private:
    template <class Visit>
    void along(int k, const Vec& c, Image n, const Vec& low, const Vec& high, Visit& visit) const {
        int first = 0, last = 0;
        if (periodic[k]) {
            first = ceil_int((low[k] - c[k]) / L[k][k]);
            last = floor_int((high[k] - c[k]) / L[k][k]);
        } else if (c[k] < low[k] || c[k] > high[k]) {
            return;
        }
        for (n[k] = first; n[k] <= last; ++n[k]) {
            const Vec place = moved(c, k, n[k]);
            if (k == 0)
                visit(n, place);
            else
                along(k - 1, place, n, low, high, visit);
        }
    }
};

}  // namespace diverse
