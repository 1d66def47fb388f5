// Where things lie: 32 atoms make a group, one atom for each lane of a warp.
//
// Whatever belongs to one atom a warp does for 32 of them, without divergence, and no sum crosses
// lanes: results do not depend on the launch nor on the other atoms, to the last bit. Arrays of a
// group are [element][lane]. Of level j only the columns mb with 2 mb <= j are kept (the half, see
// Tables::lay_out_levels of the C++ kernel), column after column, rows ma = 0 .. j in each.
#pragma once

#include "complex.hpp"
#include "unrolled.hpp"

namespace diverse {

constexpr int n_lanes = 32;  // of a warp
constexpr int n_warps = 4;   // that share the products of one group

constexpr int half_size(int j) { return (j + 1) * (j / 2 + 1); }
constexpr int half_start(int j) {
    int start = 0;
    for (int level = 0; level < j; ++level) start += half_size(level);
    return start;
}
constexpr int half(int j, int mb, int ma) { return half_start(j) + mb * (j + 1) + ma; }
constexpr int n_half = half_start(twojmax + 1);
constexpr int group_size = n_half * n_lanes;  // numbers of U or Y of one group

// The atoms of a call. Those of like numbers of neighbours should share a group, so places are
// filled in the order `order`; the pairs of atom i are first[i] to first[i + 1] - 1.
struct Atoms {
    std::int64_t n;
    const std::int32_t* order;
    const std::int64_t* first;

    DEVICE std::int64_t at(std::int64_t place) const { return place < n ? order[place] : -1; }
    DEVICE std::int64_t begin(std::int64_t atom) const { return atom < 0 ? 0 : first[atom]; }
    DEVICE int count(std::int64_t atom) const {
        return atom < 0 ? 0 : static_cast<int>(first[atom + 1] - first[atom]);
    }
    __host__ DEVICE std::int64_t n_groups() const { return (n + n_lanes - 1) / n_lanes; }
};

// Copies the next groups of a block: tile[group of the block][element][lane].
template <int n_block_groups>
DEVICE void load_groups(const Complex* __restrict__ from, std::int64_t n_groups, Complex* tile) {
    const std::int64_t begin = std::int64_t(blockIdx.x) * n_block_groups;
    const std::int64_t left = n_groups - begin;
    const int n = static_cast<int>(left < n_block_groups ? left : n_block_groups) * group_size;
    for (int i = threadIdx.x; i < n; i += blockDim.x) tile[i] = from[begin * group_size + i];
}

}  // namespace diverse
