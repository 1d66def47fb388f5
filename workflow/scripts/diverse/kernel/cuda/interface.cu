// The C interface of the CUDA kernel, called by device.py through ctypes.
//
// cuda_build.py compiles it once for each type of number, DIVERSE_REAL (double or float), and each
// DIVERSE_TWOJMAX. Arrays are contiguous and lie on the card; work is queued on `stream`, and the
// functions return at once, with the code of an error or 0. Nothing is checked here.
#include "adjoint.hpp"
#include "cells.hpp"
#include "contraction.hpp"
#include "density.hpp"
#include "pull_back.hpp"
#include "search.hpp"

#define DIVERSE_EXPORT extern "C" __attribute__((visibility("default")))

using namespace diverse;
using std::int32_t;
using std::int64_t;

namespace {

// Blocks of the kernels whose blocks hold tuning.block_groups groups.
int64_t n_blocks(const Atoms& atoms) {
    return (atoms.n_groups() + tuning.block_groups - 1) / tuning.block_groups;
}

constexpr unsigned product_threads = tuning.block_groups * n_warps * n_lanes;
constexpr unsigned column_threads = n_column_warps * n_lanes;

int64_t blocks_of_warps(int64_t n) {
    constexpr int64_t warps = cell_threads / n_lanes;
    return (n + warps - 1) / warps;
}

}  // namespace

// Numbers of U or Y of one group (real parts and imaginary parts), of `partial` of one group,
// atoms of a group, components, and bytes of shared memory of the largest block.
DIVERSE_EXPORT void diverse_sizes(int64_t* sizes) {
    sizes[0] = 2 * group_size;
    sizes[1] = n_warps * n_triples * n_lanes;
    sizes[2] = n_lanes;
    sizes[3] = n_components;
    sizes[4] = adjoint_bytes > change_bytes ? adjoint_bytes : change_bytes;
}

DIVERSE_EXPORT const char* diverse_error_text(int code) {
    return cudaGetErrorString(static_cast<cudaError>(code));
}

DIVERSE_EXPORT int64_t diverse_sum_neighbours(int64_t n, const int32_t* order,
                                              const int64_t* first, double cutoff, double rfac0,
                                              double rmin0, const Real* vectors, Complex* u,
                                              cudaStream_t stream) {
    const Atoms atoms = {n, order, first};
    return start(sum_neighbours, atoms.n_groups(), column_threads, sum_bytes, stream, atoms,
                 Radial(cutoff, rfac0, rmin0), vectors, u);
}

DIVERSE_EXPORT int64_t diverse_sum_changes(int64_t n, const int32_t* order, const int64_t* first,
                                           double cutoff, double rfac0, double rmin0,
                                           const Real* vectors, const Real* tangent,
                                           Complex* change, cudaStream_t stream) {
    const Atoms atoms = {n, order, first};
    return start(sum_changes, atoms.n_groups(), column_threads, change_bytes, stream, atoms,
                 Radial(cutoff, rfac0, rmin0), vectors, tangent, change);
}

DIVERSE_EXPORT int64_t diverse_components(int64_t n, const int32_t* order, int bzero,
                                          const Complex* u, Real* partial, Real* components,
                                          cudaStream_t stream) {
    const Atoms atoms = {n, order, nullptr};
    const int code = start(contract<true>, n_blocks(atoms), product_threads, contract_bytes,
                           stream, atoms.n_groups(), u, u, partial);
    if (code != cudaSuccess) return code;
    return start(gather<true>, atoms.n_groups(), gather_threads, 0, stream, atoms, bzero != 0,
                 partial, components);
}

DIVERSE_EXPORT int64_t diverse_component_changes(int64_t n, const int32_t* order,
                                                 const Complex* u, const Complex* change,
                                                 Real* partial, Real* components,
                                                 cudaStream_t stream) {
    const Atoms atoms = {n, order, nullptr};
    const int code = start(contract<false>, n_blocks(atoms), product_threads, contract_bytes,
                           stream, atoms.n_groups(), u, change, partial);
    if (code != cudaSuccess) return code;
    return start(gather<false>, atoms.n_groups(), gather_threads, 0, stream, atoms, false,
                 partial, components);
}

DIVERSE_EXPORT int64_t diverse_adjoint(int64_t n, const int32_t* order, const Complex* u,
                                       const Real* cotangent, Complex* y, cudaStream_t stream) {
    const Atoms atoms = {n, order, nullptr};
    return start(make_adjoint, n_blocks(atoms), product_threads, adjoint_bytes, stream, atoms, u,
                 cotangent, y);
}

DIVERSE_EXPORT int64_t diverse_pull_back(int64_t n, const int32_t* order, const int64_t* first,
                                         double cutoff, double rfac0, double rmin0,
                                         const Real* vectors, const Complex* y, Real* gradient,
                                         cudaStream_t stream) {
    const Atoms atoms = {n, order, first};
    return start(pull_back, atoms.n_groups(), tuning.pull_threads, pull_bytes, stream, atoms,
                 Radial(cutoff, rfac0, rmin0), vectors, y, gradient);
}

DIVERSE_EXPORT int64_t diverse_pairs_to_atoms(int64_t n_cells, const int64_t* first_atom,
                                              const int64_t* first, const int64_t* neighbour,
                                              const Real* pair, Real* atoms, cudaStream_t stream) {
    return start(pairs_to_atoms, n_cells, cell_threads, 0, stream, first_atom, first, neighbour,
                 pair, atoms);
}

DIVERSE_EXPORT int64_t diverse_pairs_to_strains(int64_t n_cells, const int64_t* first_atom,
                                                const int64_t* first, const Real* vector,
                                                const Real* pair, Real* strain,
                                                cudaStream_t stream) {
    return start(pairs_to_strains, n_cells, cell_threads, 0, stream, first_atom, first, vector,
                 pair, strain);
}

DIVERSE_EXPORT int64_t diverse_count_pairs(int64_t n_cells, const int64_t* first_atom,
                                           const double* positions, const double* cells,
                                           double cutoff, int64_t* count, cudaStream_t stream) {
    return start(count_pairs, n_cells, search_threads, 0, stream,
                 Crystals{first_atom, positions, cells, cutoff}, count);
}

DIVERSE_EXPORT int64_t diverse_fill_pairs(int64_t n_cells, const int64_t* first_atom,
                                          const double* positions, const double* cells,
                                          double cutoff, const int64_t* first, int64_t* center,
                                          int64_t* neighbour, double* vector,
                                          cudaStream_t stream) {
    return start(fill_pairs, n_cells, search_threads, 0, stream,
                 Crystals{first_atom, positions, cells, cutoff}, first, center, neighbour, vector);
}

DIVERSE_EXPORT int64_t diverse_sum_ranges(int64_t n, const int64_t* first, const double* value,
                                          double* sums, cudaStream_t stream) {
    return start(sum_ranges, blocks_of_warps(n), cell_threads, 0, stream, n, first, value, sums);
}

DIVERSE_EXPORT int64_t diverse_rows_to_pairs(int64_t n, const int64_t* first, const int64_t* begin,
                                             const Real* rows, const Real* slope, Real* pair,
                                             cudaStream_t stream) {
    return start(rows_to_pairs, blocks_of_warps(n), cell_threads, 0, stream, n,
                 Rows{first, begin, rows}, slope, pair);
}

DIVERSE_EXPORT int64_t diverse_rows_to_components(int64_t n, const int64_t* first,
                                                  const int64_t* begin, const Real* rows,
                                                  const Real* tangent, Real* change,
                                                  cudaStream_t stream) {
    return start(rows_to_components, blocks_of_warps(n), cell_threads, 0, stream, n,
                 Rows{first, begin, rows}, tangent, change);
}
