// The C interface of everything about pairs: search, update, sums back to atoms and cells, and
// their repulsion.
//
// Built without fused multiply-add, whatever the machine: a distance is then the same number
// wherever it is computed, so that search, update and every computer agree on which pairs exist.
#include "pair_list.hpp"
#include "repulsion.hpp"

#define DIVERSE_EXPORT extern "C" __attribute__((visibility("default")))

using diverse::PairList;
using std::int32_t;
using std::int64_t;

// problem[4]: code, cell, atom, other atom. The list must be freed in any case.
DIVERSE_EXPORT void* diverse_pairs_search(int64_t n_cells, const int64_t* first_atom,
                                          const double* cells, const std::uint8_t* pbc,
                                          const double* positions, double cutoff,
                                          double min_distance, int64_t max_neighbours,
                                          int n_threads, int64_t* problem) {
    auto* list = new PairList({n_cells, first_atom, cells, pbc, positions, cutoff, min_distance,
                               max_neighbours, n_threads});
    const diverse::Problem found = list->problem();
    problem[0] = found.code;
    problem[1] = found.cell;
    problem[2] = found.atom;
    problem[3] = found.other;
    return list;
}

DIVERSE_EXPORT int64_t diverse_pairs_size(const void* list) {
    return static_cast<const PairList*>(list)->size();
}

DIVERSE_EXPORT void diverse_pairs_copy(const void* list, int64_t* center, int64_t* neighbour,
                                       int64_t* first, double* vector, int32_t* shift) {
    static_cast<const PairList*>(list)->copy(center, neighbour, first, vector, shift);
}

DIVERSE_EXPORT void diverse_pairs_free(void* list) { delete static_cast<PairList*>(list); }

// Vectors of candidate pairs for new positions and cells, and how many of each atom are inside
// the cutoff. Returns the first pair closer than min_distance, or -1.
DIVERSE_EXPORT int64_t diverse_pairs_measure(int64_t n_atoms, const int64_t* first,
                                             const int64_t* neighbour, const int32_t* shift,
                                             const int64_t* cell_of_atom, const double* positions,
                                             const double* cells, double cutoff,
                                             double min_distance, int n_threads, double* vector,
                                             int64_t* count) {
    int64_t overlap = INT64_MAX;
#pragma omp parallel for num_threads(n_threads) schedule(static) reduction(min : overlap)
    for (int64_t i = 0; i < n_atoms; ++i) {
        const double* h = cells + 9 * cell_of_atom[i];
        count[i] = 0;
        for (int64_t p = first[i]; p < first[i + 1]; ++p) {
            const diverse::Vec v = diverse::pair_vector(
                positions + 3 * i, positions + 3 * neighbour[p], h, shift + 3 * p);
            const double r2 = diverse::dot(v, v);
            count[i] += r2 < cutoff * cutoff;
            if (r2 < min_distance * min_distance) overlap = std::min(overlap, p);
            std::copy(v.begin(), v.end(), vector + 3 * p);
        }
    }
    return overlap == INT64_MAX ? -1 : overlap;
}

// Keeps the candidates inside the cutoff; kept_first from the counts of diverse_pairs_measure.
DIVERSE_EXPORT void diverse_pairs_keep(int64_t n_atoms, const int64_t* first,
                                       const int64_t* neighbour, const int32_t* shift,
                                       const double* vector, double cutoff, int n_threads,
                                       const int64_t* kept_first, int64_t* kept_center,
                                       int64_t* kept_neighbour, int32_t* kept_shift,
                                       double* kept_vector) {
#pragma omp parallel for num_threads(n_threads) schedule(static)
    for (int64_t i = 0; i < n_atoms; ++i) {
        // overwritten by the next one unless inside: no branch to mispredict
        for (int64_t p = first[i], n = kept_first[i]; n < kept_first[i + 1]; ++p) {
            const double* v = vector + 3 * p;
            kept_center[n] = i;
            kept_neighbour[n] = neighbour[p];
            std::copy(v, v + 3, kept_vector + 3 * n);
            std::copy(shift + 3 * p, shift + 3 * p + 3, kept_shift + 3 * n);
            n += diverse::dot({v[0], v[1], v[2]}, {v[0], v[1], v[2]}) < cutoff * cutoff;
        }
    }
}

// out[atom][3] += gradient where the atom is the neighbour, -= where it is the center. The sum of a
// center stays in registers while its own pairs are added.
DIVERSE_EXPORT void diverse_pairs_to_atoms(int64_t n_atoms, const int64_t* first,
                                           const int64_t* neighbour, const double* gradient,
                                           double* out) {
    const auto add = [](double* sum, const double* g) {
        for (int x = 0; x < 3; ++x) sum[x] += g[x];
    };
    for (int64_t i = 0; i < n_atoms; ++i) {
        double own[3] = {out[3 * i], out[3 * i + 1], out[3 * i + 2]};
        for (int64_t p = first[i]; p < first[i + 1]; ++p) {
            const double* g = gradient + 3 * p;
            if (neighbour[p] == i)
                add(own, g);
            else
                add(out + 3 * neighbour[p], g);
            for (int x = 0; x < 3; ++x) own[x] -= g[x];
        }
        std::copy(own, own + 3, out + 3 * i);
    }
}

// out[cell][3][3] += vector (x) gradient
DIVERSE_EXPORT void diverse_pairs_to_cells(int64_t n_atoms, const int64_t* first,
                                           const int64_t* cell_of_atom, const double* vector,
                                           const double* gradient, double* out) {
    for (int64_t i = 0; i < n_atoms; ++i) {
        double* strain = out + 9 * cell_of_atom[i];
        double sum[9];
        std::copy(strain, strain + 9, sum);
        for (int64_t p = first[i]; p < first[i + 1]; ++p)
            for (int x = 0; x < 3; ++x)
                for (int y = 0; y < 3; ++y)
                    sum[3 * x + y] += vector[3 * p + x] * gradient[3 * p + y];
        std::copy(sum, sum + 9, strain);
    }
}

DIVERSE_EXPORT void diverse_exponential_sums(int64_t n, const double* x, int64_t n_terms,
                                             const double* amplitude, const double* rate,
                                             double* sums) {
    diverse::exponential_sums(n, x, n_terms, amplitude, rate, sums);
}

// energies[cell] += half the repulsion of each pair, by_vector[pair][3] += its derivative
DIVERSE_EXPORT void diverse_pairs_repulsion(int64_t n_atoms, const int64_t* first,
                                            const int64_t* cell_of_atom, const double* vector,
                                            double scale, int64_t n_terms, const double* amplitude,
                                            const double* rate, double inner, double outer,
                                            double shift, double cubic, double quartic,
                                            double* energies, double* by_vector) {
    diverse::RepulsionSum sum(
        {scale, n_terms, amplitude, rate, inner, outer, shift, cubic, quartic});
    for (int64_t i = 0; i < n_atoms; ++i)
        sum.add(first[i + 1] - first[i], vector + 3 * first[i], energies[cell_of_atom[i]],
                by_vector + 3 * first[i]);
}
