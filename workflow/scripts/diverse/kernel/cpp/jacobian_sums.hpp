// Rows of force fits: derivatives of all environments of a batch by the positions of its atoms.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "lanes.hpp"

namespace diverse {

// Adds the rows [pair][component][3] to the entries merged[to][3][component], for an entry that
// moves with the neighbour, and takes them from merged[from], for one that moves with the center
// (from may be null). Entry -1 is nowhere.
template <class T>
void merge_rows(std::int64_t n_pairs, const std::int64_t* to, const std::int64_t* from,
                std::int64_t n_components, const double* rows, T* merged) {
    const std::int64_t size = 3 * n_components;
    const auto add = [&](std::int64_t entry, const double* row, T sign) {
        if (entry < 0) return;
        T* by_x = merged + size * entry;
        for (std::int64_t k = 0; k < n_components; ++k)
            for (int x = 0; x < 3; ++x)
                by_x[x * n_components + k] += sign * static_cast<T>(row[3 * k + x]);
    };
    for (std::int64_t p = 0; p < n_pairs; ++p, rows += size) {
        add(to[p], rows, 1);
        if (from) add(from[p], rows, -1);
    }
}

// What moves with one atom: the entries from begin to end - 1. Entry e is the environment
// center[e], with the components x = value[center[e]][n] and their derivatives gradient[e][3][n]
// by the position of the atom.
template <class T>
struct MovedEnvironments {
    std::int64_t begin, end;
    const std::int64_t* center;
    const T *gradient, *value;
};

// Makes the rows of one atom; holds scratch memory for the largest.
template <class T>
class QuadraticRows {
public:
    QuadraticRows(std::int64_t n, std::int64_t max_entries)
        : n_(n), n_tiles_((n + width - 1) / width), x_(max_entries * n_tiles_),
          g_(max_entries * n_tiles_), square_(width * n_tiles_ * n_tiles_) {}

    // -> rows [3][1 + n + n (n + 1) / 2]: derivatives of the sums over environments of 1, x_k and,
    // for k <= m, x_k x_m
    void fill(const MovedEnvironments<T>& moved, T* rows) {
        for (auto e = moved.begin; e < moved.end; ++e)
            load(e - moved.begin, moved.value + moved.center[e] * n_, x_);
        for (int axis = 0; axis < 3; ++axis) {
            rows[0] = 0;
            std::fill(rows + 1, rows + 1 + n_, T(0));
            for (auto e = moved.begin; e < moved.end; ++e) {
                const T* g = moved.gradient + (3 * e + axis) * n_;
                load(e - moved.begin, g, g_);
                for (std::int64_t k = 0; k < n_; ++k) rows[1 + k] += g[k];
            }
            for (std::int64_t k = 0; k < n_tiles_; ++k)
                for (std::int64_t m = k; m < n_tiles_; ++m)
                    sum_tile(k, m, moved.end - moved.begin);
            rows = copy_triangle(rows + 1 + n_);
        }
    }

private:
    static constexpr int width = n_lanes<T>;

    // The components of an entry, filled up with zeros to whole vectors.
    void load(std::int64_t entry, const T* components, Buffer<Lanes<T>>& to) {
        Lanes<T>* lanes = to.data() + entry * n_tiles_;
        lanes[n_tiles_ - 1] = Lanes<T>{};
        std::memcpy(lanes, components, n_ * sizeof(T));
    }

    // sum over entries of g_k x_m + x_k g_m, the derivative of x_k x_m, for width k and width m
    void sum_tile(std::int64_t tile_k, std::int64_t tile_m, std::int64_t n_entries) {
        Lanes<T> sum[width] = {};
        for (std::int64_t e = 0; e < n_entries; ++e) {
            const Lanes<T>*x = x_.data() + e * n_tiles_, *g = g_.data() + e * n_tiles_;
            for (int k = 0; k < width; ++k)
                sum[k] += g[tile_k][k] * x[tile_m] + x[tile_k][k] * g[tile_m];
        }
        Lanes<T>* square = square_.data() + tile_k * width * n_tiles_ + tile_m;
        for (int k = 0; k < width; ++k) square[k * n_tiles_] = sum[k];
    }

    // Returns the end of what it has written.
    T* copy_triangle(T* products) {
        const T* row = reinterpret_cast<const T*>(square_.data());
        for (std::int64_t k = 0; k < n_; ++k, row += width * n_tiles_)
            products = std::copy(row + k, row + n_, products);
        return products;
    }

    std::int64_t n_, n_tiles_;
    Buffer<Lanes<T>> x_, g_;   // [entry][tile]
    Buffer<Lanes<T>> square_;  // [k][tile of m]
};

// All atoms of a batch; first, center, gradient and value as in MovedEnvironments.
template <class T>
void quadratic_rows(std::int64_t n_atoms, const std::int64_t* first, const std::int64_t* center,
                    std::int64_t n, int n_threads, const T* gradient, const T* value, T* rows) {
    std::int64_t most = 0;
    for (std::int64_t a = 0; a < n_atoms; ++a) most = std::max(most, first[a + 1] - first[a]);
#pragma omp parallel num_threads(n_threads)
    {
        QuadraticRows<T> of_atom(n, most);
#pragma omp for schedule(static)
        for (std::int64_t a = 0; a < n_atoms; ++a)
            of_atom.fill({first[a], first[a + 1], center, gradient, value},
                         rows + 3 * (1 + n + n * (n + 1) / 2) * a);
    }
}

}  // namespace diverse
