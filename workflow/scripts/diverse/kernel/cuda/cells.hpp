// Sums over the pairs of whole cells: forces from slopes of environments, and back.
//
// The force map of kernel/force_maps.py. A pair is a neighbour, or with stored rows all images of
// one neighbour. Every sum is made by one warp or thread in one order: no atomic additions.
#pragma once

#include "couplings.hpp"
#include "geometry.hpp"
#include "layout.hpp"

namespace diverse {

constexpr int cell_threads = 128;

// pair [pair][3], the derivative of an energy by each vector -> its gradient by the positions
// [atom][3]: added for the neighbour, taken for the center. A block takes one cell, whose atoms
// are first_atom[cell] to first_atom[cell + 1] - 1; neighbours are numbered as the atoms are.
__global__ void __launch_bounds__(cell_threads)
    pairs_to_atoms(const std::int64_t* __restrict__ first_atom,
                   const std::int64_t* __restrict__ first,
                   const std::int64_t* __restrict__ neighbour, const Real* __restrict__ pair,
                   Real* __restrict__ atoms) {
    const std::int64_t begin = first_atom[blockIdx.x], end = first_atom[blockIdx.x + 1];
    for (std::int64_t k = 3 * begin + threadIdx.x; k < 3 * end; k += blockDim.x) {
        const std::int64_t atom = k / 3, axis = k % 3;
        Real sum = 0;
        for (std::int64_t p = first[begin]; p < first[end]; ++p)
            if (neighbour[p] == atom) sum += pair[3 * p + axis];
        for (std::int64_t p = first[atom]; p < first[atom + 1]; ++p) sum -= pair[3 * p + axis];
        atoms[k] = sum;
    }
}

// Adds up what the lanes of a warp hold, in the order of a butterfly; all lanes get the sum.
template <class T>
DEVICE T sum_of_lanes(T value) {
    for (int distance = n_lanes / 2; distance > 0; distance /= 2)
        value += __shfl_xor_sync(~0u, value, distance);
    return value;
}

// vector and pair [pair][3] -> sum over the pairs of a cell of their outer products
// [cell][vector][pair]: the gradient by the strain e that takes row vectors r to r (1 + e).
__global__ void __launch_bounds__(cell_threads)
    pairs_to_strains(const std::int64_t* __restrict__ first_atom,
                     const std::int64_t* __restrict__ first, const Real* __restrict__ vector,
                     const Real* __restrict__ pair, Real* __restrict__ strain) {
    const std::int64_t begin = first[first_atom[blockIdx.x]];
    const std::int64_t end = first[first_atom[blockIdx.x + 1]];
    const int lane = threadIdx.x % n_lanes;
    for (int k = threadIdx.x / n_lanes; k < 9; k += cell_threads / n_lanes) {
        Real sum = 0;
        for (std::int64_t p = begin + lane; p < end; p += n_lanes)
            sum += vector[3 * p + k / 3] * pair[3 * p + k % 3];
        sum = sum_of_lanes(sum);
        if (lane == 0) strain[9 * blockIdx.x + k] = sum;
    }
}

// The Jacobian of the components by the positions of the neighbours: row e is [3][component].
// The pairs first[i] .. first[i + 1] - 1 of atom i of a batch have the rows from start[i] on.
struct Rows {
    const std::int64_t *first, *start;
    const Real* rows;

    DEVICE const Real* at(std::int64_t atom, std::int64_t pair) const {
        return rows + 3 * n_components * (start[atom] + pair - first[atom]);
    }
};

DEVICE std::int64_t number_of_warp() {
    return std::int64_t(blockIdx.x) * (cell_threads / n_lanes) + threadIdx.x / n_lanes;
}

// slope [atom][component] -> derivative of the energy by the vector of every pair [pair][3]
__global__ void __launch_bounds__(cell_threads)
    rows_to_pairs(std::int64_t n_atoms, Rows rows, const Real* __restrict__ slope,
                  Real* __restrict__ pair) {
    const std::int64_t atom = number_of_warp();
    const int lane = threadIdx.x % n_lanes;
    if (atom >= n_atoms) return;
    for (std::int64_t p = rows.first[atom]; p < rows.first[atom + 1]; ++p)
        for (int axis = 0; axis < 3; ++axis) {
            const Real* row = rows.at(atom, p) + axis * n_components;
            Real sum = 0;
            for (int k = lane; k < n_components; k += n_lanes)
                sum += row[k] * slope[atom * n_components + k];
            sum = sum_of_lanes(sum);
            if (lane == 0) pair[3 * p + axis] = sum;
        }
}

// Sums of the numbers value[first[i]] to value[first[i + 1] - 1], always in double.
__global__ void __launch_bounds__(cell_threads)
    sum_ranges(std::int64_t n, const std::int64_t* __restrict__ first,
               const double* __restrict__ value, double* __restrict__ sums) {
    const std::int64_t i = number_of_warp();
    const int lane = threadIdx.x % n_lanes;
    if (i >= n) return;
    double sum = 0;
    for (std::int64_t k = first[i] + lane; k < first[i + 1]; k += n_lanes) sum += value[k];
    sum = sum_of_lanes(sum);
    if (lane == 0) sums[i] = sum;
}

// The adjoint: tangent of every pair [pair][3] -> change of the components [atom][component]
__global__ void __launch_bounds__(cell_threads)
    rows_to_components(std::int64_t n_atoms, Rows rows, const Real* __restrict__ tangent,
                       Real* __restrict__ change) {
    const std::int64_t atom = number_of_warp();
    if (atom >= n_atoms) return;
    for (int k = threadIdx.x % n_lanes; k < n_components; k += n_lanes) {
        Real sum = 0;
        for (std::int64_t p = rows.first[atom]; p < rows.first[atom + 1]; ++p)
            for (int axis = 0; axis < 3; ++axis)
                sum += rows.at(atom, p)[axis * n_components + k] * tangent[3 * p + axis];
        change[atom * n_components + k] = sum;
    }
}

}  // namespace diverse
