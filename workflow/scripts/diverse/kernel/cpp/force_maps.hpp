// The Jacobian of the descriptors of whole cells by the positions of their atoms, stored, and its
// products from either side. Moving all atoms of a cell together changes nothing: the derivative
// by the center itself is minus the sum of those by its neighbours, and is not stored.
#pragma once

#include <cstdint>

namespace diverse {

// The rows of atom i are first[i] .. first[i + 1] - 1; row e is [3][component], the derivative of
// the components of atom i by the position of the atom neighbour[e] of the same cell.
template <class T>
struct CellJacobian {
    const std::int64_t* first_atom;
    const std::int64_t* first;
    const std::int32_t* neighbour;
    const T* rows;
    std::int64_t n_components;

    const T* row(std::int64_t e) const { return rows + 3 * n_components * e; }
};

// slope[atom][component] of one cell -> forces[atom][3], minus the gradient of the energy
template <class T>
void cell_forces(const CellJacobian<T>& jacobian, std::int64_t cell, const T* slope, T* forces) {
    const std::int64_t begin = jacobian.first_atom[cell], n = jacobian.n_components;
    const std::int64_t n_atoms = jacobian.first_atom[cell + 1] - begin;
    for (std::int64_t i = 0; i < 3 * n_atoms; ++i) forces[i] = 0;
    for (std::int64_t i = 0; i < n_atoms; ++i, slope += n) {
        T* center = forces + 3 * i;
        for (auto e = jacobian.first[begin + i]; e < jacobian.first[begin + i + 1]; ++e) {
            const T *by_x = jacobian.row(e), *by_y = by_x + n, *by_z = by_y + n;
            T x = 0, y = 0, z = 0;
#pragma omp simd reduction(+ : x, y, z)
            for (std::int64_t k = 0; k < n; ++k) {
                x += by_x[k] * slope[k];
                y += by_y[k] * slope[k];
                z += by_z[k] * slope[k];
            }
            T* other = forces + 3 * jacobian.neighbour[e];
            other[0] -= x, other[1] -= y, other[2] -= z;
            center[0] += x, center[1] += y, center[2] += z;
        }
    }
}

// The adjoint of cell_forces: cotangent[atom][3] of the forces -> slope[atom][component]
template <class T>
void cell_slopes(const CellJacobian<T>& jacobian, std::int64_t cell, const T* cotangent, T* slope) {
    const std::int64_t begin = jacobian.first_atom[cell], n = jacobian.n_components;
    const std::int64_t n_atoms = jacobian.first_atom[cell + 1] - begin;
    for (std::int64_t i = 0; i < n * n_atoms; ++i) slope[i] = 0;
    for (std::int64_t i = 0; i < n_atoms; ++i, slope += n) {
        const T* center = cotangent + 3 * i;
        for (auto e = jacobian.first[begin + i]; e < jacobian.first[begin + i + 1]; ++e) {
            const T *by_x = jacobian.row(e), *by_y = by_x + n, *by_z = by_y + n;
            const T* other = cotangent + 3 * jacobian.neighbour[e];
            const T x = center[0] - other[0], y = center[1] - other[1], z = center[2] - other[2];
#pragma omp simd
            for (std::int64_t k = 0; k < n; ++k)
                slope[k] += by_x[k] * x + by_y[k] * y + by_z[k] * z;
        }
    }
}

}  // namespace diverse
