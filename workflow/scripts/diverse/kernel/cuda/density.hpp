// U, the sum over the neighbours of w v, and its change along a change of the vectors.
//
// The warps of a block hold the same 32 atoms and share out the columns. They locate the neighbours
// in turn, one each, and hand them to each other through shared memory (two stages, so that one
// barrier a stage is enough). The atom's own share is 1 where ma = mb (wselfflag of LAMMPS).
#pragma once

#include "columns.hpp"
#include "shares.hpp"

namespace diverse {

// Neighbours on their way: [stage][warp][number][lane].
template <int size>
class Stages {
public:
    DEVICE explicit Stages(void* memory)
        : at_(static_cast<Real*>(memory) + threadIdx.x % n_lanes) {}

    DEVICE Real* of(int stage, int warp) const {
        return at_ + (stage % 2 * n_column_warps + warp) * size * n_lanes;
    }
    static constexpr std::size_t bytes = sizeof(Real) * 2 * n_column_warps * size * n_lanes;

private:
    Real* at_;
};

// Calls put(pair or -1, to) for the neighbour that this warp locates, then take(from) for each.
template <int size, class Put, class Take>
DEVICE void pass_neighbours(const Stages<size>& stages, int* counts, std::int64_t begin, int count,
                            Put put, Take take) {
    const int warp = threadIdx.x / n_lanes;
    if (warp == 0) counts[threadIdx.x] = count;
    __syncthreads();
    int largest = 0;
    for (int lane = 0; lane < n_lanes; ++lane)
        largest = counts[lane] > largest ? counts[lane] : largest;
    for (int i = 0, stage = 0; i < largest; i += n_column_warps, ++stage) {
        put(i + warp < count ? begin + i + warp : -1, stages.of(stage, warp));
        __syncthreads();
        const int left = largest - i, n = left < n_column_warps ? left : n_column_warps;
        for (int k = 0; k < n; ++k) take(static_cast<const Real*>(stages.of(stage, k)));
    }
}

DEVICE void put(Real* to, const Quaternion& q, Real weight) {
    to[0] = q.a.re;
    to[n_lanes] = q.a.im;
    to[2 * n_lanes] = q.b.re;
    to[3 * n_lanes] = q.b.im;
    to[4 * n_lanes] = weight;
}

DEVICE Quaternion quaternion_at(const Real* from) {
    return {{from[0], from[n_lanes]}, {from[2 * n_lanes], from[3 * n_lanes]}};
}

constexpr std::size_t sum_bytes = Stages<5>::bytes + n_lanes * sizeof(int);

// vectors [pair][3] -> U [group][element][lane]
__global__ void __launch_bounds__(n_column_warps* n_lanes, tuning.sum_blocks)
    sum_neighbours(Atoms atoms, Radial radial, const Real* __restrict__ vectors,
                   Complex* __restrict__ u) {
    DIVERSE_SHARED(shared);
    int* counts = reinterpret_cast<int*>(shared + Stages<5>::bytes);
    const int lane = threadIdx.x % n_lanes, warp = threadIdx.x / n_lanes;
    const std::int64_t atom = atoms.at(std::int64_t(blockIdx.x) * n_lanes + lane);

    Complex sum[most_in_warp()];
    unrolled<0, most_in_warp()>([&](auto i) { sum[i] = {0, 0}; });
    const auto locate_pair = [&](std::int64_t pair, Real* to) {
        if (pair < 0) return put(to, {{1, 0}, {0, 0}}, 0);
        const Neighbour p = locate(vector_at(vectors, pair), radial);
        put(to, p.q, p.weight);
    };
    const auto add_neighbour = [&](const Real* from) {
        const Quaternion q = quaternion_at(from);
        const Real weight = from[4 * n_lanes];
        columns_of_warp(warp, [&](auto column) {
            constexpr int mb = column;
            Complex c[twojmax + 1];
            c[0] = {1, 0};
            unrolled<0, mb>([&](auto i) {
                constexpr int m = i;
                raise<2 * m + 1>(c, q);
                shift<2 * m + 2>(c, q);
            });
            unrolled<2 * mb, twojmax + 1>([&](auto level) {
                constexpr int j = level;
                unrolled<0, j + 1>([&](auto row) {
                    constexpr int ma = row;
                    add_scaled(sum[place_in_warp(j, mb, ma)], weight, c[ma]);
                });
                if constexpr (j < twojmax) raise<j + 1>(c, q);
            });
        });
    };
    pass_neighbours(Stages<5>(shared), counts, atoms.begin(atom), atoms.count(atom), locate_pair,
                    add_neighbour);

    Complex* out = u + std::int64_t(blockIdx.x) * group_size + lane;
    columns_of_warp(warp, [&](auto column) {
        constexpr int mb = column;
        unrolled<2 * mb, twojmax + 1>([&](auto level) {
            constexpr int j = level;
            unrolled<0, j + 1>([&](auto row) {
                constexpr int ma = row;
                Complex z = sum[place_in_warp(j, mb, ma)];
                if (ma == mb) z.re += Real(1);
                out[half(j, mb, ma) * n_lanes] = z;
            });
        });
    });
}

constexpr std::size_t change_bytes =
    sizeof(Complex) * group_size + Stages<10>::bytes + n_lanes * sizeof(int);

// vectors, tangent [pair][3] -> change of U, of w v: w dv + dw v
__global__ void __launch_bounds__(n_column_warps* n_lanes, tuning.change_blocks)
    sum_changes(Atoms atoms, Radial radial, const Real* __restrict__ vectors,
                const Real* __restrict__ tangent, Complex* __restrict__ change) {
    DIVERSE_SHARED(shared);
    Complex* sum = reinterpret_cast<Complex*>(shared);  // [element][lane]
    unsigned char* stages = shared + sizeof(Complex) * group_size;
    int* counts = reinterpret_cast<int*>(stages + Stages<10>::bytes);
    const int lane = threadIdx.x % n_lanes, warp = threadIdx.x / n_lanes;
    const std::int64_t atom = atoms.at(std::int64_t(blockIdx.x) * n_lanes + lane);
    for (int i = threadIdx.x; i < group_size; i += blockDim.x) sum[i] = {0, 0};

    const auto locate_pair = [&](std::int64_t pair, Real* to) {
        put(to, {{1, 0}, {0, 0}}, 0);
        put(to + 5 * n_lanes, {{0, 0}, {0, 0}}, 0);
        if (pair < 0) return;
        const Neighbour p = locate(vector_at(vectors, pair), radial);
        const Vector3 t = vector_at(tangent, pair);
        const Quaternion dq = quaternion_tangent(p, radial, t);
        put(to, p.q, p.weight);
        put(to + 5 * n_lanes, dq, p.weight_slope * dot(p.direction, t));
    };
    const auto add_neighbour = [&](const Real* from) {
        const Quaternion q = quaternion_at(from), dq = quaternion_at(from + 5 * n_lanes);
        const Real weight = from[4 * n_lanes], dw = from[9 * n_lanes];
        columns_of_warp(warp, [&](auto column) {
            constexpr int mb = column;
            Complex c[twojmax + 1], e[twojmax + 1];
            c[0] = {1, 0};
            e[0] = {0, 0};
            unrolled<0, mb>([&](auto i) {
                constexpr int m = i;
                raise<2 * m + 1>(c, e, q, dq);
                shift<2 * m + 2>(c, e, q, dq);
            });
            unrolled<2 * mb, twojmax + 1>([&](auto level) {
                constexpr int j = level;
                __syncwarp();  // else the compiler reads all sums ahead, and runs out of registers
                unrolled<0, j + 1>([&](auto row) {
                    constexpr int ma = row;
                    Complex& at = sum[half(j, mb, ma) * n_lanes + lane];
                    add_scaled(at, weight, e[ma]);
                    add_scaled(at, dw, c[ma]);
                });
                if constexpr (j < twojmax) raise<j + 1>(c, e, q, dq);
            });
        });
    };
    pass_neighbours(Stages<10>(stages), counts, atoms.begin(atom), atoms.count(atom), locate_pair,
                    add_neighbour);

    __syncthreads();
    Complex* out = change + std::int64_t(blockIdx.x) * group_size;
    for (int i = threadIdx.x; i < group_size; i += blockDim.x) out[i] = sum[i];
}

}  // namespace diverse
