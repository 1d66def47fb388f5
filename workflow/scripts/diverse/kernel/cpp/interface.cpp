// The C interface of the descriptor kernel, called by library.py through ctypes.
//
// build.py compiles it once for each instruction set and each type of number, DIVERSE_REAL (double or
// float). Arrays are C-contiguous; nothing is checked here that library.py checks. Of the functions
// on cells, cell c of the n chosen ones has its atoms from place[c] on in the arrays of the batch.
#include "force_maps.hpp"
#include "kernel.hpp"
#include "jacobian_sums.hpp"
#include "network.hpp"

#define DIVERSE_EXPORT extern "C" __attribute__((visibility("default")))

using Real = DIVERSE_REAL;
using Kernel = diverse::Kernel<Real>;
using std::int32_t;
using std::int64_t;

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

DIVERSE_EXPORT void* diverse_create(int twojmax, double cutoff, double rfac0, double rmin0,
                                    int bzero) {
    return new Kernel(twojmax, {cutoff, rfac0, rmin0}, bzero);
}

DIVERSE_EXPORT void diverse_free(void* k) { delete static_cast<Kernel*>(k); }

// The first vector that is not finite or not longer than minimum, or -1.
DIVERSE_EXPORT int64_t diverse_first_bad_vector(int64_t n, const Real* vectors, double minimum) {
    for (int64_t i = 0; i < n; ++i) {
        const double x = vectors[3 * i], y = vectors[3 * i + 1], z = vectors[3 * i + 2];
        const double r2 = x * x + y * y + z * z;
        if (!(r2 > minimum * minimum && std::isfinite(r2))) return i;
    }
    return -1;
}

DIVERSE_EXPORT int64_t diverse_saved_size(const void* k, int64_t n_atoms) {
    const int width = diverse::n_lanes<Real>;
    const int64_t n_blocks = (n_atoms + width - 1) / width;
    return n_blocks * static_cast<const Kernel*>(k)->saved_per_block();
}

DIVERSE_EXPORT void diverse_forward(const void* k, int64_t n, const int64_t* first, int threads,
                                    const Real* vectors, Real* components, Real* saved) {
    static_cast<const Kernel*>(k)->forward({n, first, threads}, vectors, components, saved);
}

DIVERSE_EXPORT void diverse_vjp(const void* k, int64_t n, const int64_t* first, int threads,
                                const Real* vectors, const Real* cotangent, const Real* saved,
                                Real* gradient, Real* contraction) {
    static_cast<const Kernel*>(k)->vjp({n, first, threads}, vectors, cotangent, saved, gradient,
                                       contraction);
}

DIVERSE_EXPORT void diverse_jvp(const void* k, int64_t n, const int64_t* first, int threads,
                                const Real* vectors, const Real* tangent, Real* change) {
    static_cast<const Kernel*>(k)->jvp({n, first, threads}, vectors, tangent, change);
}

DIVERSE_EXPORT void diverse_jacobian(const void* k, int64_t n, const int64_t* first, int threads,
                                     const Real* vectors, Real* rows) {
    static_cast<const Kernel*>(k)->jacobian({n, first, threads}, vectors, rows);
}

DIVERSE_EXPORT void diverse_merge_rows(int64_t n_pairs, const int64_t* to, const int64_t* from,
                                       int64_t n_components, const double* rows, Real* merged) {
    diverse::merge_rows<Real>(n_pairs, to, from, n_components, rows, merged);
}

DIVERSE_EXPORT void diverse_quadratic_rows(int64_t n_atoms, const int64_t* first,
                                           const int64_t* center, int64_t n_components,
                                           int threads, const Real* gradient, const Real* value,
                                           Real* rows) {
    diverse::quadratic_rows(n_atoms, first, center, n_components, threads, gradient, value, rows);
}

DIVERSE_EXPORT void diverse_cell_forces(int64_t n, const int64_t* cells, const int64_t* place,
                                        const int64_t* first_atom, const int64_t* first,
                                        const int32_t* neighbour, const Real* rows,
                                        int64_t n_components, int threads, const Real* slope,
                                        Real* forces) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t c = 0; c < n; ++c)
        diverse::cell_forces<Real>({first_atom, first, neighbour, rows, n_components}, cells[c],
                                   slope + n_components * place[c], forces + 3 * place[c]);
}

DIVERSE_EXPORT void diverse_cell_slopes(int64_t n, const int64_t* cells, const int64_t* place,
                                        const int64_t* first_atom, const int64_t* first,
                                        const int32_t* neighbour, const Real* rows,
                                        int64_t n_components, int threads, const Real* cotangent,
                                        Real* slope) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t c = 0; c < n; ++c)
        diverse::cell_slopes<Real>({first_atom, first, neighbour, rows, n_components}, cells[c],
                                   cotangent + 3 * place[c], slope + n_components * place[c]);
}

// Networks, network.hpp: numbers of one network's parameters, and numbers kept of a batch.
DIVERSE_EXPORT int64_t diverse_network_size(int64_t n_layers, const int64_t* widths) {
    return diverse::TanhNetwork<Real>(n_layers, widths).n_parameters();
}

DIVERSE_EXPORT int64_t diverse_network_saved_size(int64_t n_layers, const int64_t* widths,
                                                  int64_t n_networks, const int64_t* first) {
    int64_t chunks = 0;
    for (int64_t s = 0; s < n_networks; ++s)
        chunks += diverse::NetworkStack<Real>::n_chunks(first[s + 1] - first[s]);
    return chunks * diverse::TanhNetwork<Real>(n_layers, widths).saved_size();
}

DIVERSE_EXPORT void diverse_network_slopes(int64_t n_layers, const int64_t* widths,
                                           int64_t n_networks, const int64_t* first,
                                           const double* mean, const double* inverse_scale,
                                           int threads, const double* descriptors,
                                           const int64_t* atoms, const Real* parameters,
                                           Real* energies, Real* slopes, Real* saved) {
    diverse::NetworkStack<Real>{n_layers, widths, n_networks, first, mean, inverse_scale, threads}
        .slopes(descriptors, atoms, parameters, energies, slopes, saved);
}

DIVERSE_EXPORT void diverse_network_gradient(int64_t n_layers, const int64_t* widths,
                                             int64_t n_networks, const int64_t* first,
                                             const double* mean, const double* inverse_scale,
                                             int threads, const Real* parameters,
                                             const Real* by_energy, const Real* by_slope,
                                             Real* saved, Real* gradient) {
    diverse::NetworkStack<Real>{n_layers, widths, n_networks, first, mean, inverse_scale, threads}
        .gradient(parameters, by_energy, by_slope, saved, gradient);
}

DIVERSE_EXPORT void diverse_adamw(int64_t n, double rate, double decay, double correction,
                                  double square_correction, const Real* gradient, Real* mean,
                                  Real* square, Real* parameters) {
    diverse::adamw<Real>(n, rate, decay, correction, square_correction, gradient, mean, square,
                         parameters);
}
