// The C interface of the descriptor kernel, called by library.py through ctypes.
//
// Every function exists for double (suffix _float64) and float (suffix _float32). Arrays are
// C-contiguous; nothing is checked here that library.py checks. Of the functions on cells, cell c
// of the n chosen ones has its atoms from place[c] on in the arrays of the batch.
#include "cells.hpp"
#include "kernel.hpp"
#include "rows.hpp"

#define DIVERSE_EXPORT extern "C" __attribute__((visibility("default")))

using diverse::Batch;
using diverse::Kernel;
using std::int32_t;
using std::int64_t;

namespace {

// The first vector that is not finite or not longer than minimum, or -1.
template <class T>
int64_t first_bad_vector(int64_t n, const T* vectors, double minimum) {
    for (int64_t i = 0; i < n; ++i) {
        const double x = vectors[3 * i], y = vectors[3 * i + 1], z = vectors[3 * i + 2];
        const double r2 = x * x + y * y + z * z;
        if (!(r2 > minimum * minimum && std::isfinite(r2))) return i;
    }
    return -1;
}

}  // namespace

// 2: AVX-512, 1: AVX2 with FMA, 0: neither. Asked of the baseline build, which runs everywhere.
DIVERSE_EXPORT int diverse_best_isa() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return 2;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 1;
#endif
    return 0;
}

DIVERSE_EXPORT int diverse_max_threads() { return omp_get_max_threads(); }

#define DIVERSE_FUNCTIONS(T, NAME)                                                               \
    DIVERSE_EXPORT void* diverse_create_##NAME(int twojmax, double cutoff, double rfac0,         \
                                               double rmin0, int bzero) {                        \
        return new Kernel<T>(twojmax, {cutoff, rfac0, rmin0}, bzero);                            \
    }                                                                                            \
    DIVERSE_EXPORT void diverse_free_##NAME(void* k) { delete static_cast<Kernel<T>*>(k); }      \
    DIVERSE_EXPORT int64_t diverse_first_bad_vector_##NAME(int64_t n, const T* vectors,          \
                                                           double minimum) {                     \
        return first_bad_vector(n, vectors, minimum);                                            \
    }                                                                                            \
    DIVERSE_EXPORT int64_t diverse_saved_size_##NAME(const void* k, int64_t n_atoms) {           \
        const int width = diverse::n_lanes<T>;                                                   \
        const int64_t n_blocks = (n_atoms + width - 1) / width;                                  \
        return n_blocks * static_cast<const Kernel<T>*>(k)->saved_per_block();                   \
    }                                                                                            \
    DIVERSE_EXPORT void diverse_forward_##NAME(const void* k, int64_t n, const int64_t* first,   \
                                               int threads, const T* vectors, T* components,     \
                                               T* saved) {                                       \
        static_cast<const Kernel<T>*>(k)->forward({n, first, threads}, vectors, components,      \
                                                  saved);                                        \
    }                                                                                            \
    DIVERSE_EXPORT void diverse_vjp_##NAME(const void* k, int64_t n, const int64_t* first,       \
                                           int threads, const T* vectors, const T* cotangent,    \
                                           const T* saved, T* gradient) {                        \
        static_cast<const Kernel<T>*>(k)->vjp({n, first, threads}, vectors, cotangent, saved,    \
                                              gradient);                                         \
    }                                                                                            \
    DIVERSE_EXPORT void diverse_jvp_##NAME(const void* k, int64_t n, const int64_t* first,       \
                                           int threads, const T* vectors, const T* tangent,      \
                                           T* change) {                                          \
        static_cast<const Kernel<T>*>(k)->jvp({n, first, threads}, vectors, tangent, change);    \
    }                                                                                            \
    DIVERSE_EXPORT void diverse_jacobian_##NAME(const void* k, int64_t n, const int64_t* first,  \
                                                int threads, const T* vectors, T* rows) {        \
        static_cast<const Kernel<T>*>(k)->jacobian({n, first, threads}, vectors, rows);          \
    }                                                                                            \
    DIVERSE_EXPORT void diverse_merge_rows_##NAME(int64_t n_pairs, const int64_t* to,            \
                                                  const int64_t* from, int64_t n_components,     \
                                                  const double* rows, T* merged) {               \
        diverse::merge_rows<T>(n_pairs, to, from, n_components, rows, merged);                   \
    }                                                                                            \
    DIVERSE_EXPORT void diverse_quadratic_rows_##NAME(                                           \
        int64_t n_atoms, const int64_t* first, const int64_t* center, int64_t n_components,      \
        int threads, const T* gradient, const T* value, T* rows) {                               \
        diverse::quadratic_rows(n_atoms, first, center, n_components, threads, gradient, value,  \
                                rows);                                                           \
    }                                                                                            \
    DIVERSE_EXPORT void diverse_cell_forces_##NAME(                                              \
        int64_t n, const int64_t* cells, const int64_t* place, const int64_t* first_atom,        \
        const int64_t* first, const int32_t* neighbour, const T* rows, int64_t n_components,     \
        int threads, const T* slope, T* forces) {                                                \
        _Pragma("omp parallel for num_threads(threads) schedule(static)")                        \
        for (int64_t c = 0; c < n; ++c)                                                          \
            diverse::cell_forces<T>({first_atom, first, neighbour, rows, n_components},          \
                                    cells[c], slope + n_components * place[c],                   \
                                    forces + 3 * place[c]);                                      \
    }                                                                                            \
    DIVERSE_EXPORT void diverse_cell_slopes_##NAME(                                              \
        int64_t n, const int64_t* cells, const int64_t* place, const int64_t* first_atom,        \
        const int64_t* first, const int32_t* neighbour, const T* rows, int64_t n_components,     \
        int threads, const T* cotangent, T* slope) {                                             \
        _Pragma("omp parallel for num_threads(threads) schedule(static)")                        \
        for (int64_t c = 0; c < n; ++c)                                                          \
            diverse::cell_slopes<T>({first_atom, first, neighbour, rows, n_components},          \
                                    cells[c], cotangent + 3 * place[c],                          \
                                    slope + n_components * place[c]);                            \
    }

DIVERSE_FUNCTIONS(double, float64)
DIVERSE_FUNCTIONS(float, float32)
