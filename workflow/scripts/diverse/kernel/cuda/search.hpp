// Neighbours of many small periodic cells, of every atom by trying all others and their images.
//
// Always in double. A block takes one cell and a thread one of its atoms: pairs come in one order,
// whatever else is searched. The limits are those of kernel/pairs.py, but for the thickness of a
// cell: one of which more than `most_images` images lie within the cutoff is refused.
#pragma once

#include <cmath>

#include "platform.hpp"

namespace diverse {

constexpr int search_threads = 64;
constexpr int most_images = 20;          // along a lattice vector, to either side
constexpr double least_distance = 1e-3;  // Å, MIN_DISTANCE of kernel/kernel.py
constexpr double furthest = 1e6;         // Å from the origin
constexpr double flat = 1e-10;           // volume over the product of the three lengths

// Atoms of cell c are first_atom[c] to first_atom[c + 1] - 1; rows of its 3 x 3 numbers in `cells`
// are lattice vectors.
struct Crystals {
    const std::int64_t* first_atom;
    const double *positions, *cells;
    double cutoff;
};

// A lattice and its inverse: a row vector times `inverse` is in units of the lattice vectors.
struct Lattice {
    double vectors[9], inverse[9];
    int images[3];  // to either side that may lie within the cutoff
    bool good;

    DEVICE Lattice(const double* cell, double cutoff) {
        for (int k = 0; k < 9; ++k) vectors[k] = cell[k];
        double size = 1;
        for (int k = 0; k < 3; ++k) size *= length(vectors[3 * k], vectors[3 * k + 1],
                                                   vectors[3 * k + 2]);
        // Lattice vectors k + 1 and k + 2, crossed: column k of the inverse, times the volume.
        for (int k = 0; k < 3; ++k) {
            const double *a = vectors + (k + 1) % 3 * 3, *b = vectors + (k + 2) % 3 * 3;
            for (int x = 0; x < 3; ++x) {
                const int y = (x + 1) % 3, z = (x + 2) % 3;
                inverse[3 * x + k] = a[y] * b[z] - a[z] * b[y];
            }
        }
        double volume = 0;
        for (int x = 0; x < 3; ++x) volume += vectors[x] * inverse[3 * x];
        good = std::abs(volume) > flat * size && size < furthest * furthest * furthest;
        for (int k = 0; k < 9; ++k) inverse[k] /= volume;
        for (int k = 0; k < 3; ++k) {
            const double reach = cutoff * length(inverse[k], inverse[3 + k], inverse[6 + k]) + 0.5;
            good = good && reach < most_images + 1;
            images[k] = good ? static_cast<int>(reach + 1e-9) : 0;
        }
    }

    DEVICE static double length(double x, double y, double z) {
        return std::sqrt(x * x + y * y + z * z);
    }
};

// Calls visit(neighbour, x, y, z) for every pair of an atom, by neighbour, then by image. Returns
// whether all of them are longer than `least_distance`.
template <class Visit>
DEVICE bool visit_pairs(const Crystals& c, const Lattice& lattice, std::int64_t begin,
                        std::int64_t end, std::int64_t atom, Visit visit) {
    const double* h = lattice.vectors;
    bool apart = true;
    for (std::int64_t other = begin; other < end; ++other) {
        double d[3], at[3];  // to the nearest image, in units of the lattice vectors
        for (int x = 0; x < 3; ++x) d[x] = c.positions[3 * other + x] - c.positions[3 * atom + x];
        for (int k = 0; k < 3; ++k)
            at[k] = std::rint(d[0] * lattice.inverse[k] + d[1] * lattice.inverse[3 + k] +
                              d[2] * lattice.inverse[6 + k]);
        for (int x = 0; x < 3; ++x) d[x] -= at[0] * h[x] + at[1] * h[3 + x] + at[2] * h[6 + x];
        for (int i = -lattice.images[0]; i <= lattice.images[0]; ++i)
            for (int j = -lattice.images[1]; j <= lattice.images[1]; ++j)
                for (int k = -lattice.images[2]; k <= lattice.images[2]; ++k) {
                    if (other == atom && !i && !j && !k) continue;
                    const double x = d[0] + i * h[0] + j * h[3] + k * h[6];
                    const double y = d[1] + i * h[1] + j * h[4] + k * h[7];
                    const double z = d[2] + i * h[2] + j * h[5] + k * h[8];
                    const double square = x * x + y * y + z * z;
                    if (square >= c.cutoff * c.cutoff) continue;
                    apart = apart && square > least_distance * least_distance;
                    visit(other, x, y, z);
                }
    }
    return apart;
}

DEVICE bool in_reach(const double* position) {
    bool near = true;
    for (int x = 0; x < 3; ++x) near = near && std::abs(position[x]) < furthest;
    return near;
}

// -> count [atom], the pairs of each; -1 where its cell cannot be searched or it overlaps another
__global__ void __launch_bounds__(search_threads, 8)
    count_pairs(Crystals c, std::int64_t* __restrict__ count) {
    const std::int64_t begin = c.first_atom[blockIdx.x], end = c.first_atom[blockIdx.x + 1];
    const Lattice lattice(c.cells + 9 * blockIdx.x, c.cutoff);
    for (std::int64_t atom = begin + threadIdx.x; atom < end; atom += blockDim.x) {
        std::int64_t n = 0;
        bool good = lattice.good && in_reach(c.positions + 3 * atom);
        if (good)
            good = visit_pairs(c, lattice, begin, end, atom,
                               [&](std::int64_t, double, double, double) { ++n; });
        count[atom] = good ? n : -1;
    }
}

// first [atom + 1] -> center, neighbour [pair], vector [pair][3]
__global__ void __launch_bounds__(search_threads, 8)
    fill_pairs(Crystals c, const std::int64_t* __restrict__ first,
               std::int64_t* __restrict__ center, std::int64_t* __restrict__ neighbour,
               double* __restrict__ vector) {
    const std::int64_t begin = c.first_atom[blockIdx.x], end = c.first_atom[blockIdx.x + 1];
    const Lattice lattice(c.cells + 9 * blockIdx.x, c.cutoff);
    for (std::int64_t atom = begin + threadIdx.x; atom < end; atom += blockDim.x) {
        std::int64_t p = first[atom];
        visit_pairs(c, lattice, begin, end, atom,
                    [&](std::int64_t other, double x, double y, double z) {
                        center[p] = atom, neighbour[p] = other;
                        vector[3 * p] = x, vector[3 * p + 1] = y, vector[3 * p + 2] = z;
                        ++p;
                    });
    }
}

}  // namespace diverse
