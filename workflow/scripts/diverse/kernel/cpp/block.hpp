// What is done to one block of atoms, one atom per lane: forward, VJP, JVP, Jacobian.
#pragma once

#include "derivatives.hpp"
#include "products.hpp"

namespace diverse {

// Scratch memory of one thread.
template <class T>
struct Workspace {
    LevelPair<T> levels;
    Buffer<Complex<T>> half, full, field;
    Buffer<Partial<T>> partial;
    Buffer<Lanes<T>> components;
    Buffer<Vector3<T>> vectors, tangents;

    Workspace(const Tables<T>& t, int max_neighbours)
        : half(t.n_half), full(t.n_full), field(t.n_half), partial(t.n_half),
          components(t.n_components), vectors(max_neighbours), tangents(max_neighbours) {}
};

// ws.vectors -> ws.half (sum of w v) and ws.full (U).
template <class T>
inline void sum_neighbours(const Tables<T>& t, const Radial& radial, int n, Workspace<T>& ws) {
    ws.half.clear();
    for (int i = 0; i < n; ++i)
        add_neighbour(t, locate<T>(ws.vectors[i], radial), ws.levels, ws.half.data());
    complete_sum(t, ws.half.data(), ws.full.data());
}

// ws.full -> ws.components (B).
template <class T>
inline void contract(const Tables<T>& t, bool bzero, Workspace<T>& ws) {
    for (int h = 0, j = 0; j <= t.twojmax; ++j) {
        const Complex<T>* u = ws.full.data() + t.full_start[j];
        for (int i = 0; i < t.half_size(j); ++i, ++h)
            ws.field[h] = {t.weight[h] * u[i].re, t.weight[h] * u[i].im};
    }
    // bzeroflag of LAMMPS: B of the atom without neighbours, where U is the unit matrix, is j + 1
    for (int k = 0; k < t.n_components; ++k)
        ws.components[k] = all_lanes<T>(bzero ? -(t.component_level[k] + 1) : 0);
    Contraction<T, false> sum(t, ws.field.data(), ws.components.data());
    for_each_product(t, ws.full.data(), true, sum);
}

// ws.full, ws.components (cotangent) -> ws.field (Y).
template <class T>
inline void find_adjoint(const Tables<T>& t, Workspace<T>& ws) {
    ws.field.clear();
    Adjoint<T> adjoint(t, ws.components.data(), ws.field.data());
    for_each_product(t, ws.full.data(), false, adjoint);
}

// ws.full, ws.field (Y), ws.components (cotangent) -> sum of cotangent times B. B is homogeneous of
// degree 3 in U, and Y the gradient of that sum: it is U . Y / 3 (Euler), with no product anew.
template <class T>
inline Lanes<T> contraction_of(const Tables<T>& t, bool bzero, Workspace<T>& ws) {
    Lanes<T> sum{}, isolated{};
    for (int h = 0, j = 0; j <= t.twojmax; ++j) {
        const Complex<T>* u = ws.full.data() + t.full_start[j];
        for (int i = 0; i < t.half_size(j); ++i, ++h) sum += t.weight[h] * dot(u[i], ws.field[h]);
    }
    for (int k = 0; bzero && k < t.n_components; ++k)
        isolated += static_cast<T>(t.component_level[k] + 1) * ws.components[k];
    return sum / static_cast<T>(3) - isolated;
}

// ws.field (Y), ws.vectors -> ws.tangents (gradient for each neighbour).
template <class T>
inline void pull_back(const Tables<T>& t, const Radial& radial, int n, Workspace<T>& ws) {
    scale_adjoint(t, 0, t.n_half, ws.field.data());
    for (int j = 1; j <= t.twojmax; ++j)
        differentiate_level(t, j, ws.field.data(), ws.partial.data());
    for (int i = 0; i < n; ++i) {
        const Neighbour<T> p = locate<T>(ws.vectors[i], radial);
        ws.tangents[i] =
            neighbour_gradient(t, p, ws.field[0].re, ws.partial.data(), ws.levels);
    }
}

// ws.vectors, ws.tangents (change of each vector) -> ws.components (change of B).
template <class T>
inline void push_forward(const Tables<T>& t, const Radial& radial, int n, Workspace<T>& ws) {
    ws.half.clear();
    ws.field.clear();
    ws.partial.clear();
    ws.components.clear();
    for (int i = 0; i < n; ++i) {
        const Neighbour<T> p = locate<T>(ws.vectors[i], radial);
        const Vector3<T>& change = ws.tangents[i];
        const Lanes<T> dw = p.weight_slope * dot(p.direction, change);
        ws.field[0].re += dw;
        add_neighbour_tangent(t, p, dw, quaternion_tangent(p, change), ws.levels, ws.half.data(),
                              ws.partial.data());
    }
    complete_sum(t, ws.half.data(), ws.full.data());
    for (int j = 1; j <= t.twojmax; ++j)
        gather_level(t, j, ws.partial.data(), ws.field.data());
    scale_adjoint(t, 0, t.n_half, ws.field.data());
    Contraction<T, true> sum(t, ws.field.data(), ws.components.data());
    for_each_product(t, ws.full.data(), false, sum);
}

}  // namespace diverse
