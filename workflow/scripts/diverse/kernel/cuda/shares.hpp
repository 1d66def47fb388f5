// How the warps of a group share out the projections K, and how the blocks are sized.
#pragma once

#include "products.hpp"

namespace diverse {

// Operations that the products of projection K take, but for a factor.
constexpr int cost_of(int K) {
    int cost = 0;
    for (int j1 = 0; j1 <= twojmax; ++j1)
        for (int j2 = 0; j2 <= j1; ++j2) {
            const int sum = j1 + j2, M = (sum - K) / 2;
            if ((sum - K) % 2 || K > sum) continue;
            int of_columns = 0;
            for (int d = first_loss(j1, j2); d <= sum - first_loss(j1, j2); ++d) {
                const int n = least(j1, d) - most(0, d - j2) + 1;
                const int losses = least(j2, least(d, sum - d)) - first_loss(j1, j2) + 1;
                if (K || 2 * d <= sum) of_columns += n * (2 + losses) + losses;
            }
            cost += of_columns * (last_factor(j1, j2, M) - first_factor(j2, M) + 1);
        }
    return cost;
}

// The costliest K first, each to the warp that has least.
struct Shares {
    unsigned bits[n_warps] = {};  // bit K of a warp: it takes K

    constexpr Shares() {
        int cost[twojmax + 1] = {}, load[n_warps] = {};
        for (int K = 0; K <= twojmax; ++K) cost[K] = cost_of(K);
        for (int turn = 0; turn <= twojmax; ++turn) {
            int costliest = 0, idlest = 0;
            for (int K = 0; K <= twojmax; ++K)
                if (cost[K] > cost[costliest]) costliest = K;
            for (int warp = 0; warp < n_warps; ++warp)
                if (load[warp] < load[idlest]) idlest = warp;
            load[idlest] += cost[costliest];
            bits[idlest] |= 1u << costliest;
            cost[costliest] = -1;
        }
    }
};

constexpr Shares shares;

DEVICE bool takes(int warp, int K) {
    constexpr unsigned b0 = shares.bits[0], b1 = shares.bits[1];
    constexpr unsigned b2 = shares.bits[2], b3 = shares.bits[3];
    const unsigned bits = warp == 0 ? b0 : warp == 1 ? b1 : warp == 2 ? b2 : b3;
    return bits >> K & 1;
}

// Blocks on a multiprocessor that registers are kept for, measured on an H100. The unrolled code of
// 2Jmax 8 exceeds the instruction cache: one large block, whose warps walk it together, is faster
// there than several small ones out of step.
struct Tuning {
    int block_groups;    // groups of one block of make_adjoint and contract
    int product_blocks;  // make_adjoint, contract
    int sum_blocks;      // sum_neighbours
    int change_blocks;   // sum_changes
    int pull_blocks;     // pull_back ...
    int pull_threads;    // ... and threads of its blocks
};

constexpr Tuning measured_tuning() {
    if (sizeof(Real) == 8) {
        if (twojmax <= 5) return {1, 4, 3, 3, 4, 128};
        if (twojmax <= 6) return {1, 3, 3, 3, 4, 128};
        if (twojmax <= 8) return {2, 1, 2, 2, 2, 128};
        return {1, 1, 1, 1, 1, 128};
    }
    if (twojmax <= 5) return {1, 6, 5, 5, 6, 128};
    if (twojmax <= 6) return {1, 5, 4, 4, 5, 128};
    if (twojmax <= 8) return {4, 1, 3, 4, 4, 192};
    return {2, 1, 2, 2, 2, 128};
}

// Bytes of a group in a block of make_adjoint: U, and the cotangent of every component.
constexpr int group_bytes =
    sizeof(Complex) * group_size + sizeof(Real) * n_components * n_lanes;

constexpr Tuning fitting_tuning() {
    Tuning t = measured_tuning();
    while (t.block_groups > 1 && t.block_groups * group_bytes > DIVERSE_SHARED_MEMORY)
        --t.block_groups;
    return t;
}

constexpr Tuning tuning = fitting_tuning();

}  // namespace diverse
