// Every function of the emulated CUDA kernel, run once on random pairs, for ThreadSanitizer:
// tests/device/sanitize compiles it. Two groups of atoms, some without neighbours.
#include "interface.cu"

#include <cstdio>
#include <numeric>
#include <random>
#include <vector>

int main() {
    constexpr int n = 40;
    std::vector<int32_t> order(n);
    std::iota(order.begin(), order.end(), 0);
    std::vector<int64_t> first(n + 1), neighbour;
    for (int i = 0; i < n; ++i) first[i + 1] = first[i] + i % 6;
    for (int64_t p = 0; p < first[n]; ++p) neighbour.push_back(p % n);

    int64_t sizes[5];
    diverse_sizes(sizes);
    std::mt19937 generator(1);
    std::normal_distribution<Real> normal;
    const auto random = [&](int64_t size) {
        std::vector<Real> numbers(size);
        for (Real& number : numbers) number = normal(generator);
        return numbers;
    };
    auto vectors = random(3 * first[n]), tangent = random(3 * first[n]);
    for (Real& x : vectors) x += x < 0 ? -1 : 1;  // no neighbour is close
    const auto cotangent = random(n * n_components), rows = random(3 * n_components * first[n]);
    const int64_t groups = (n + sizes[2] - 1) / sizes[2];
    std::vector<Real> u(groups * sizes[0]), y(u), partial(groups * sizes[1]);
    std::vector<Real> components(n * n_components), pairs(3 * first[n]), atoms(3 * n);
    auto* U = reinterpret_cast<Complex*>(u.data());
    auto* Y = reinterpret_cast<Complex*>(y.data());
    const int64_t cells[] = {0, 1, 17, n};

    diverse_sum_neighbours(n, order.data(), first.data(), 4.7, 0.99, 0, vectors.data(), U, nullptr);
    diverse_components(n, order.data(), 1, U, partial.data(), components.data(), nullptr);
    diverse_adjoint(n, order.data(), U, cotangent.data(), Y, nullptr);
    diverse_pull_back(n, order.data(), first.data(), 4.7, 0.99, 0, vectors.data(), Y, pairs.data(),
                      nullptr);
    diverse_sum_changes(n, order.data(), first.data(), 4.7, 0.99, 0, vectors.data(),
                        tangent.data(), Y, nullptr);
    diverse_component_changes(n, order.data(), U, Y, partial.data(), components.data(), nullptr);
    diverse_pairs_to_atoms(3, cells, first.data(), neighbour.data(), pairs.data(), atoms.data(),
                           nullptr);
    std::vector<Real> strains(9 * 3);
    diverse_pairs_to_strains(3, cells, first.data(), vectors.data(), pairs.data(), strains.data(),
                             nullptr);
    std::vector<double> places(3 * n), lattices(9 * 3, 0.0), sums(n);
    for (double& x : places) x = 6 * normal(generator);
    for (int cell = 0; cell < 3; ++cell)
        for (int k = 0; k < 3; ++k) lattices[9 * cell + 4 * k] = 7;
    std::vector<int64_t> count(n), found_first(n + 1);
    diverse_count_pairs(3, cells, places.data(), lattices.data(), 4.7, count.data(), nullptr);
    for (int i = 0; i < n; ++i) found_first[i + 1] = found_first[i] + count[i];
    std::vector<int64_t> center(found_first[n]), other(found_first[n]);
    std::vector<double> found(3 * found_first[n]);
    diverse_fill_pairs(3, cells, places.data(), lattices.data(), 4.7, found_first.data(),
                       center.data(), other.data(), found.data(), nullptr);
    diverse_sum_ranges(n, found_first.data(), found.data(), sums.data(), nullptr);
    diverse_rows_to_pairs(n, first.data(), first.data(), rows.data(), cotangent.data(),
                          pairs.data(), nullptr);
    diverse_rows_to_components(n, first.data(), first.data(), rows.data(), tangent.data(),
                               components.data(), nullptr);
    std::puts("every function has run");
}
