// B(j1, j2, j) = sum over mb, ma of conj(U_j[mb][ma]) Z_j[mb][ma], Thompson 2015, eq. 9, and its
// change: the sum of conj(dU) Z over all triples that make the component, with multiplicity.
#pragma once

#include "shares.hpp"

namespace diverse {

constexpr std::size_t contract_bytes = tuning.block_groups * sizeof(Complex) * group_size;

// <target, Z> of all losses up to last of levels j1 and j2, over the projections of one warp.
template <int j1, int j2, int last>
DEVICE void contract_levels(int warp, const Complex* u, const Complex* target, Real* of_loss) {
    constexpr int first = first_loss(j1, j2), top = j1 + j2 - 2 * first;
    constexpr int bottom = slot(j1 + j2 - 2 * last, 0), n = slot(top, top) + 1 - bottom;
    unrolled<first, last + 1>([&](auto s) { of_loss[s - first] = 0; });
    for (int K = (j1 + j2) % 2; K <= top; K += 2) {
        if (!takes(warp, K)) continue;
        Complex z[n];
        unrolled<0, n>([&](auto i) { z[i] = {0, 0}; });
        add_products<j1, j2, last, bottom>(
            u, K, z, [](auto, Real coefficient) { return coefficient; });
        unrolled<first, last + 1>([&](auto loss) {
            constexpr int s = loss, j = j1 + j2 - 2 * s;
            if (j < K) return;
            const Complex* column = target + (half_start(j) + (j - K) / 2 * (j + 1)) * n_lanes;
            unrolled<0, j + 1>([&](auto row) {
                constexpr int ma = row;
                constexpr double side = share(false, j, ma), middle = share(true, j, ma);
                const Real f = K ? Real(side) : Real(middle);
                of_loss[s - first] += f * dot(column[ma * n_lanes], z[slot(j, ma) - bottom]);
            });
        });
    }
}

// for_components: only the triples with j >= j1, target U itself. Else all of them, each times its
// multiplicity, target the change of U. -> partial [group][warp][triple][lane]
template <bool for_components>
__global__ void __launch_bounds__(tuning.block_groups* n_warps* n_lanes, tuning.product_blocks)
    contract(std::int64_t n_groups, const Complex* __restrict__ u,
             const Complex* __restrict__ change, Real* __restrict__ partial) {
    DIVERSE_SHARED(shared);
    Complex* tile = reinterpret_cast<Complex*>(shared);
    load_groups<tuning.block_groups>(u, n_groups, tile);
    __syncthreads();
    const int lane = threadIdx.x % n_lanes, warp = threadIdx.x / n_lanes % n_warps;
    const int own = threadIdx.x / n_lanes / n_warps;
    const std::int64_t group = std::int64_t(blockIdx.x) * tuning.block_groups + own;
    if (group >= n_groups) return;
    const Complex* own_u = tile + own * group_size + lane;
    const Complex* target = for_components ? own_u : change + group * group_size + lane;
    Real* out = partial + (group * n_warps + warp) * n_triples * n_lanes + lane;
    const auto levels = [&](auto upper, auto lower) {
        constexpr int j1 = upper, j2 = lower, first = first_loss(j1, j2);
        constexpr int last = for_components ? j2 / 2 : j2;
        if constexpr (first <= last) {
            Real of_loss[last - first + 1];
            contract_levels<j1, j2, last>(warp, own_u, target, of_loss);
            unrolled<first, last + 1>([&](auto loss) {
                constexpr int s = loss, triple = numbers.triple[j1][j2][s];
                constexpr double times = multiplicity(j1, j2, j1 + j2 - 2 * s);
                const Real f = for_components ? Real(1) : Real(times);
                out[triple * n_lanes] = f * of_loss[s - first];
            });
        }
    };
    for_each_pair_of_levels<0>(levels);
    for_each_pair_of_levels<1>(levels);
}

constexpr int gather_threads = 256;

// Sums the parts of the warps, and of the triples of each component: of one, or of all.
template <bool for_components>
__global__ void __launch_bounds__(gather_threads)
    gather(Atoms atoms, bool bzero, const Real* __restrict__ partial, Real* __restrict__ out) {
    const int lane = threadIdx.x % n_lanes;
    const std::int64_t group = blockIdx.x, atom = atoms.at(group * n_lanes + lane);
    if (atom < 0) return;
    const Real* from = partial + group * n_warps * n_triples * n_lanes + lane;
    for (int k = threadIdx.x / n_lanes; k < n_components; k += gather_threads / n_lanes) {
        Real sum = bzero ? -Real(component_table.level[k] + 1) : Real(0);
        const int n = for_components ? 1 : component_table.n_triples[k];
        for (int i = 0; i < n; ++i)
            for (int warp = 0; warp < n_warps; ++warp)
                sum += from[(warp * n_triples + component_table.triple[k][i]) * n_lanes];
        out[atom * n_components + k] = sum;
    }
}

}  // namespace diverse
