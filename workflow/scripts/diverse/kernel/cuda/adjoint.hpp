// Y, the adjoint of U: what a cotangent of the components is for the elements of U.
//
// Y[element] = sum over triples of cotangent of the component * multiplicity * Z[element]
// (SNA::compute_yi of LAMMPS; Bartok, Kondor, Csanyi, Phys. Rev. B 87, 184115 (2013), appendix).
#pragma once

#include "shares.hpp"

namespace diverse {

constexpr std::size_t adjoint_bytes = tuning.block_groups * group_bytes;

// cotangent [atom][component] -> by_component [group of the block][component][lane]
DEVICE void load_cotangents(const Atoms& atoms, const Real* __restrict__ cotangent,
                            Real* by_component) {
    const int n_places = tuning.block_groups * n_lanes;
    for (int i = threadIdx.x; i < n_places * n_components; i += blockDim.x) {
        const int place = i / n_components, k = i % n_components;
        const std::int64_t atom = atoms.at(std::int64_t(blockIdx.x) * n_places + place);
        by_component[(place / n_lanes * n_components + k) * n_lanes + place % n_lanes] =
            atom < 0 ? Real(0) : cotangent[atom * n_components + k];
    }
}

template <int parity>
DEVICE void adjoint_of_projection(int K, const Complex* u, const Real* cotangent, Complex* out) {
    Complex y[n_slots(parity)];
    unrolled<0, n_slots(parity)>([&](auto i) { y[i] = {0, 0}; });
    for_each_pair_of_levels<parity>([&](auto upper, auto lower) {
        constexpr int j1 = upper, j2 = lower, first = first_loss(j1, j2);
        if (K > j1 + j2) return;
        Real of_loss[n_losses(j1, j2)];
        unrolled<first, j2 + 1>([&](auto loss) {
            constexpr int s = loss, j = j1 + j2 - 2 * s;
            constexpr int k = numbers.component_of(j1, j2, j);
            constexpr double times = multiplicity(j1, j2, j);
            of_loss[s - first] = Real(times) * cotangent[k * n_lanes];
        });
        add_products<j1, j2, j2, 0>(u, K, y, [&](auto s, Real coefficient) {
            return coefficient * of_loss[s - first];
        });
    });
    unrolled<0, (twojmax - parity) / 2 + 1>([&](auto i) {
        constexpr int j = 2 * i + parity;
        if (j < K) return;
        Complex* column = out + (half_start(j) + (j - K) / 2 * (j + 1)) * n_lanes;
        unrolled<0, j + 1>([&](auto row) {
            constexpr int ma = row;
            constexpr double side = share(false, j, ma), middle = share(true, j, ma);
            const Real f = K ? Real(side) : Real(middle);
            column[ma * n_lanes] = {f * y[slot(j, ma)].re, f * y[slot(j, ma)].im};
        });
    });
}

// U, cotangent [atom][component] -> Y, coefficients of the half of v, weighted by their shares
__global__ void __launch_bounds__(tuning.block_groups* n_warps* n_lanes, tuning.product_blocks)
    make_adjoint(Atoms atoms, const Complex* __restrict__ u, const Real* __restrict__ cotangent,
                 Complex* __restrict__ y) {
    DIVERSE_SHARED(shared);
    Complex* tile = reinterpret_cast<Complex*>(shared);
    Real* by_component = reinterpret_cast<Real*>(tile + tuning.block_groups * group_size);
    load_groups<tuning.block_groups>(u, atoms.n_groups(), tile);
    load_cotangents(atoms, cotangent, by_component);
    __syncthreads();
    const int lane = threadIdx.x % n_lanes, warp = threadIdx.x / n_lanes % n_warps;
    const int own = threadIdx.x / n_lanes / n_warps;
    const std::int64_t group = std::int64_t(blockIdx.x) * tuning.block_groups + own;
    if (group >= atoms.n_groups()) return;
    const Complex* own_u = tile + own * group_size + lane;
    const Real* own_cotangent = by_component + own * n_components * n_lanes + lane;
    Complex* out = y + group * group_size + lane;
    for (int K = 0; K <= twojmax; K += 2)
        if (takes(warp, K)) adjoint_of_projection<0>(K, own_u, own_cotangent, out);
    for (int K = 1; K <= twojmax; K += 2)
        if (takes(warp, K)) adjoint_of_projection<1>(K, own_u, own_cotangent, out);
}

}  // namespace diverse
