// The Jacobian of every component with respect to every neighbour vector, for linear fits.
//
// Component (j1, j2, j) depends on U of these three levels only. So Z is made once for all
// triples, and for each component the gradient is a sum over at most three levels of harmonics,
// which are made once for all components.
#pragma once

#include "block.hpp"

namespace diverse {

template <class T>
struct JacobianWorkspace {
    std::vector<int> start;  // of each triple in z
    Buffer<Complex<T>> z;
    Buffer<Complex<T>> harmonics;  // [neighbour][element], levels below 2Jmax
    Buffer<Neighbour<T>> neighbours;

    JacobianWorkspace(const Tables<T>& t, int max_neighbours)
        : start(starts(t)), z(start.back()),
          harmonics(static_cast<std::size_t>(max_neighbours) * t.half_start[t.twojmax]),
          neighbours(max_neighbours) {}

private:
    static std::vector<int> starts(const Tables<T>& t) {
        std::vector<int> start{0};
        for (int j : t.triple_level) start.push_back(start.back() + t.half_size(j));
        return start;
    }
};

// ws.vectors -> jw.neighbours, jw.harmonics.
template <class T>
inline void keep_harmonics(const Tables<T>& t, const Radial& radial, int n, Workspace<T>& ws,
                           JacobianWorkspace<T>& jw) {
    for (int i = 0; i < n; ++i) {
        jw.neighbours[i] = locate<T>(ws.vectors[i], radial);
        Complex<T>* v = jw.harmonics.data() + static_cast<std::size_t>(i) * t.half_start[t.twojmax];
        v[0] = ws.levels.of(0)[0] = {all_lanes<T>(1), Lanes<T>{}};
        for (int j = 1; j < t.twojmax; ++j)
            raise_level(j, jw.neighbours[i].q, ws.levels, [&](int e, const Complex<T>& value) {
                v[t.half_start[j] + e] = value;
            });
    }
}

// Coefficients of component k: clears and fills the levels of ws.field and ws.partial it has.
template <class T>
inline void component_partials(const Tables<T>& t, int k, JacobianWorkspace<T>& jw,
                               Workspace<T>& ws) {
    for (int triple : t.triples_of_component[k]) {
        const int j = t.triple_level[triple], first = t.half_start[j];
        const Complex<T>* z = jw.z.data() + jw.start[triple];
        for (int i = 0; i < t.half_size(j); ++i) {
            ws.field[first + i] = Complex<T>{};
            add_scaled(ws.field[first + i], t.triple_multiplicity[triple], z[i]);
        }
        scale_adjoint(t, first, first + t.half_size(j), ws.field.data());
        if (j > 0) differentiate_level(t, j, ws.field.data(), ws.partial.data());
    }
}

// Gradient of component k for neighbour i.
template <class T>
inline Vector3<T> component_gradient(const Tables<T>& t, int k, int i, JacobianWorkspace<T>& jw,
                                     Workspace<T>& ws) {
    const Neighbour<T>& p = jw.neighbours[i];
    const std::size_t n_kept = t.half_start[t.twojmax];
    const Complex<T>* v = jw.harmonics.data() + i * n_kept;
    ValueAndGradient<T> sum{};
    for (int triple : t.triples_of_component[k]) {
        const int j = t.triple_level[triple];
        if (j == 0) {
            sum.value += ws.field[0].re;
            continue;
        }
        Quaternion<T> re{}, im{};
        for (int h = t.half_start[j - 1]; h < t.half_start[j]; ++h)
            add_element(ws.partial[h], v[h], re, im);
        add_level(j, p.q, sum_of(re, im), sum);
    }
    return vector_gradient(p, sum.value, sum.gradient);
}

// ws.vectors -> write(neighbour, component, gradient) for all of them.
template <class T, class Write>
inline void jacobian(const Tables<T>& t, const Radial& radial, int n, Workspace<T>& ws,
                     JacobianWorkspace<T>& jw, Write write) {
    sum_neighbours(t, radial, n, ws);
    keep_harmonics(t, radial, n, ws, jw);
    jw.z.clear();
    Storage<T> storage(t, jw.start.data(), jw.z.data());
    for_each_product(t, ws.full.data(), false, storage);
    for (int k = 0; k < t.n_components; ++k) {
        component_partials(t, k, jw, ws);
        for (int i = 0; i < n; ++i) write(i, k, component_gradient(t, k, i, jw, ws));
    }
}

}  // namespace diverse
