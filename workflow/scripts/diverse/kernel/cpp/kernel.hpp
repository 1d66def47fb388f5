// Batches of atoms: cut into blocks of one atom per lane, shared out among threads.
#pragma once

#include <omp.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "jacobian.hpp"

namespace diverse {

// The pairs of atom i are first[i] .. first[i + 1] - 1.
struct Batch {
    std::int64_t n_atoms;
    const std::int64_t* first;
    int n_threads;

    int count(std::int64_t atom) const { return static_cast<int>(first[atom + 1] - first[atom]); }
    int max_count() const {
        int most = 0;
        for (std::int64_t i = 0; i < n_atoms; ++i) most = std::max(most, count(i));
        return most;
    }
};

// The atoms by falling number of neighbours: the lanes of a block then have nearly equal work.
// A counting sort, stable, so that the order is always the same.
inline std::vector<std::int64_t> by_falling_count(const Batch& batch) {
    const int most = batch.max_count();
    std::vector<std::int64_t> place(most + 2, 0), order(batch.n_atoms);
    for (std::int64_t i = 0; i < batch.n_atoms; ++i) ++place[most - batch.count(i) + 1];
    for (int c = 0; c <= most; ++c) place[c + 1] += place[c];
    for (std::int64_t i = 0; i < batch.n_atoms; ++i) order[place[most - batch.count(i)]++] = i;
    return order;
}

template <class T>
struct Block {
    const Batch& batch;
    std::int64_t number;         // of this block
    const std::int64_t* atoms;   // of its lanes
    int n_present;               // lanes in use
    int n_neighbours;            // of the lane that has most

    // Rows [pair][3] in memory -> lanes. Missing neighbours get the vector (0, 0, filler).
    void load(const T* rows, T filler, Vector3<T>* lanes) const {
        for (int i = 0; i < n_neighbours; ++i)
            lanes[i] = {Lanes<T>{}, Lanes<T>{}, all_lanes<T>(filler)};
        for (int l = 0; l < n_present; ++l) {
            const T* row = rows + 3 * batch.first[atoms[l]];
            for (int i = 0; i < batch.count(atoms[l]); ++i, row += 3) {
                lanes[i].x[l] = row[0];
                lanes[i].y[l] = row[1];
                lanes[i].z[l] = row[2];
            }
        }
    }

    // Lanes -> rows [pair][3].
    void store(const Vector3<T>* lanes, T* rows) const {
        for (int l = 0; l < n_present; ++l) {
            T* row = rows + 3 * batch.first[atoms[l]];
            for (int i = 0; i < batch.count(atoms[l]); ++i, row += 3) {
                row[0] = lanes[i].x[l];
                row[1] = lanes[i].y[l];
                row[2] = lanes[i].z[l];
            }
        }
    }

    // The same for rows [atom][n].
    void load_atoms(const T* rows, int n, Lanes<T>* lanes) const {
        for (int k = 0; k < n; ++k) lanes[k] = Lanes<T>{};
        for (int l = 0; l < n_present; ++l)
            for (int k = 0; k < n; ++k) lanes[k][l] = rows[atoms[l] * n + k];
    }
    void store_atoms(const Lanes<T>* lanes, int n, T* rows) const {
        for (int l = 0; l < n_present; ++l)
            for (int k = 0; k < n; ++k) rows[atoms[l] * n + k] = lanes[k][l];
    }
};

// Calls body(block, workspace) for all blocks.
template <class T, class Body>
void for_each_block(const Tables<T>& t, const Batch& batch, Body body) {
    const std::vector<std::int64_t> order = by_falling_count(batch);
    const int most = batch.max_count();
    const std::int64_t n_blocks = (batch.n_atoms + n_lanes<T> - 1) / n_lanes<T>;
    const int n_threads = static_cast<int>(std::min<std::int64_t>(batch.n_threads, n_blocks));
#pragma omp parallel num_threads(std::max(1, n_threads))
    {
        Workspace<T> ws(t, most);
#pragma omp for schedule(dynamic, 1)
        for (std::int64_t b = 0; b < n_blocks; ++b) {
            const std::int64_t begin = b * n_lanes<T>;
            const std::int64_t left = batch.n_atoms - begin;
            const int present = static_cast<int>(std::min<std::int64_t>(n_lanes<T>, left));
            body(Block<T>{batch, b, &order[begin], present, batch.count(order[begin])}, ws);
        }
    }
}

template <class T>
class Kernel {
public:
    Kernel(int twojmax, const Radial& radial, bool bzero)
        : t_(twojmax), radial_(radial), bzero_(bzero) {}

    int n_components() const { return t_.n_components; }

    // Numbers kept per block so that the VJP need not sum over the neighbours again.
    std::int64_t saved_per_block() const { return 2 * t_.n_half * n_lanes<T>; }

    // vectors [pair][3] -> components [atom][component]; saved may be null
    void forward(const Batch& batch, const T* vectors, T* components, T* saved) const {
        for_each_block<T>(t_, batch, [&](const Block<T>& block, Workspace<T>& ws) {
            block.load(vectors, filler(), ws.vectors.data());
            sum_neighbours(t_, radial_, block.n_neighbours, ws);
            if (saved) std::memcpy(saved_of(block, saved), ws.half.data(), saved_bytes());
            contract(t_, bzero_, ws);
            block.store_atoms(ws.components.data(), t_.n_components, components);
        });
    }

    // cotangent [atom][component] -> gradient [pair][3], and contraction [atom], the sum of
    // cotangent times component; saved and contraction may be null
    void vjp(const Batch& batch, const T* vectors, const T* cotangent, const T* saved,
             T* gradient, T* contraction) const {
        for_each_block<T>(t_, batch, [&](const Block<T>& block, Workspace<T>& ws) {
            block.load(vectors, filler(), ws.vectors.data());
            block.load_atoms(cotangent, t_.n_components, ws.components.data());
            if (saved) {
                std::memcpy(ws.half.data(), saved_of(block, saved), saved_bytes());
                complete_sum(t_, ws.half.data(), ws.full.data());
            } else {
                sum_neighbours(t_, radial_, block.n_neighbours, ws);
            }
            find_adjoint(t_, ws);
            if (contraction) {
                const Lanes<T> sum = contraction_of(t_, bzero_, ws);
                block.store_atoms(&sum, 1, contraction);
            }
            pull_back(t_, radial_, block.n_neighbours, ws);
            block.store(ws.tangents.data(), gradient);
        });
    }

    // tangent [pair][3] -> change [atom][component]
    void jvp(const Batch& batch, const T* vectors, const T* tangent, T* change) const {
        for_each_block<T>(t_, batch, [&](const Block<T>& block, Workspace<T>& ws) {
            block.load(vectors, filler(), ws.vectors.data());
            block.load(tangent, 0, ws.tangents.data());
            push_forward(t_, radial_, block.n_neighbours, ws);
            block.store_atoms(ws.components.data(), t_.n_components, change);
        });
    }

    // -> rows [pair][component][3]
    void jacobian(const Batch& batch, const T* vectors, T* rows) const {
        const int stride = 3 * t_.n_components;
        for_each_block<T>(t_, batch, [&](const Block<T>& block, Workspace<T>& ws) {
            JacobianWorkspace<T> jw(t_, block.n_neighbours);
            block.load(vectors, filler(), ws.vectors.data());
            diverse::jacobian(t_, radial_, block.n_neighbours, ws, jw,
                              [&](int i, int k, const Vector3<T>& g) {
                for (int l = 0; l < block.n_present; ++l) {
                    if (i >= batch.count(block.atoms[l])) break;  // lanes by falling count
                    T* row = rows + (batch.first[block.atoms[l]] + i) * stride + 3 * k;
                    row[0] = g.x[l];
                    row[1] = g.y[l];
                    row[2] = g.z[l];
                }
            });
        });
    }

private:
    T filler() const { return 2 * radial_.cutoff; }  // beyond the cutoff: contributes exact zeros
    std::size_t saved_bytes() const { return saved_per_block() * sizeof(T); }
    template <class P>
    P* saved_of(const Block<T>& block, P* saved) const {
        return saved + block.number * saved_per_block();
    }

    Tables<T> t_;
    Radial radial_;
    bool bzero_;
};

}  // namespace diverse
