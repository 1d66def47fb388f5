// All pairs closer than a cutoff, for a batch of cells.
#pragma once

#include <omp.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "points.hpp"

namespace diverse {

using std::int64_t;

// The batch as the caller gives it: the atoms of cell c are first_atom[c] .. first_atom[c+1] - 1.
struct Cells {
    int64_t n_cells;
    const int64_t* first_atom;
    const double* cells;      // [cell][3][3], rows
    const std::uint8_t* pbc;  // [cell][3]
    const double* positions;  // [atom][3]
    double cutoff, min_distance;
    int64_t max_neighbours;
    int n_threads;

    const double* position(int64_t atom) const { return positions + 3 * atom; }
};

struct Problem {
    enum Code : int64_t { none, overlap, too_many };
    int64_t code = none, cell = 0, atom = 0, other = 0;
};

struct Pair {
    int64_t neighbour;
    Image shift;
    Vec vector;
};

// r[neighbour] + shift . cell - r[center], summed in this order wherever it is computed, so that
// a list updated and a list made anew agree to the last bit.
inline Vec pair_vector(const double* from, const double* to, const double* h,
                       const std::int32_t* n) {
    Vec v;
    for (int x = 0; x < 3; ++x)
        v[x] = (to[x] - from[x]) + (n[0] * h[x] + n[1] * h[3 + x] + n[2] * h[6 + x]);
    return v;
}

// One cell, ready to be searched.
class CellSearch {
public:
    CellSearch(const Cells& in, int64_t cell)
        : in_(in), cell_(cell), begin_(in.first_atom[cell]), points_(make_points()) {}

    // Appends the pairs of one atom, and says what is wrong with them.
    Problem find(int64_t atom, std::vector<Pair>& pairs) {
        const std::size_t before = pairs.size();
        Problem problem;
        points_.for_each_near(static_cast<int>(atom - begin_), [&](int other, const Image& shift) {
            const int64_t neighbour = begin_ + other;
            const Vec v = pair_vector(in_.position(atom), in_.position(neighbour),
                                      in_.cells + 9 * cell_, shift.data());
            const double r2 = dot(v, v);
            if (!(r2 < in_.cutoff * in_.cutoff)) return;
            if (r2 < in_.min_distance * in_.min_distance)
                problem = {Problem::overlap, cell_, atom, neighbour};
            Pair& pair = pairs.emplace_back();  // filled in place: a copy would wait for its parts
            pair.neighbour = neighbour;
            pair.shift = shift;
            pair.vector = v;
        });
        const auto n_found = static_cast<int64_t>(pairs.size() - before);
        if (problem.code == Problem::none && n_found > in_.max_neighbours)
            problem = {Problem::too_many, cell_, atom, atom};
        return problem;
    }

private:
    Points make_points() const {
        const Lattice lattice(in_.cells + 9 * cell_, in_.pbc + 3 * cell_);
        std::vector<Vec> coordinates;
        for (int64_t i = begin_; i < in_.first_atom[cell_ + 1]; ++i)
            coordinates.push_back(lattice.rotated(in_.position(i)));
        return Points(lattice, std::move(coordinates), in_.cutoff);
    }

    const Cells& in_;
    int64_t cell_, begin_;
    Points points_;
};

// Whether a cell is so thin that its images alone would fill the memory.
inline bool too_thin(const Cells& in, int64_t cell) {
    const Lattice lattice(in.cells + 9 * cell, in.pbc + 3 * cell);
    return lattice.images_within(in.cutoff) > 1e6;
}

// The pairs of a run of atoms, found by one thread.
struct Portion {
    int64_t begin, end;
    std::vector<Pair> pairs;
    std::vector<int64_t> counts;  // of each atom
    Problem problem;

    void search(const Cells& in) {
        int64_t cell = 0;
        std::unique_ptr<CellSearch> search;
        pairs.reserve(64 * (end - begin));
        for (int64_t atom = begin; atom < end && problem.code == Problem::none; ++atom) {
            while (atom >= in.first_atom[cell + 1]) {
                ++cell;
                search.reset();
            }
            if (!search) {
                if (too_thin(in, cell)) {
                    problem = {Problem::too_many, cell, atom, atom};
                    return;
                }
                search = std::make_unique<CellSearch>(in, cell);
            }
            const std::size_t before = pairs.size();
            problem = search->find(atom, pairs);
            counts.push_back(static_cast<int64_t>(pairs.size() - before));
        }
    }
};

// Runs of atoms of equal length, one per thread; put together in order, they make a list that
// does not depend on their number.
class PairList {
public:
    explicit PairList(const Cells& in) : portions_(in.n_threads) {
        const int64_t n_atoms = in.first_atom[in.n_cells];
#pragma omp parallel for num_threads(in.n_threads) schedule(static, 1)
        for (int k = 0; k < in.n_threads; ++k) {
            portions_[k].begin = n_atoms * k / in.n_threads;
            portions_[k].end = n_atoms * (k + 1) / in.n_threads;
            portions_[k].search(in);
        }
    }

    Problem problem() const {
        for (const Portion& p : portions_)
            if (p.problem.code != Problem::none) return p.problem;
        return {};
    }

    int64_t size() const {
        int64_t n = 0;
        for (const Portion& p : portions_) n += static_cast<int64_t>(p.pairs.size());
        return n;
    }

    void copy(int64_t* center, int64_t* neighbour, int64_t* first, double* vector,
              std::int32_t* shift) const {
        int64_t n = 0;
        *first = 0;
        for (const Portion& p : portions_) {
            std::size_t next = 0;
            for (std::size_t i = 0; i < p.counts.size(); ++i) {
                for (int64_t c = 0; c < p.counts[i]; ++c, ++n) {
                    const Pair& pair = p.pairs[next++];
                    center[n] = p.begin + static_cast<int64_t>(i);
                    neighbour[n] = pair.neighbour;
                    std::copy(pair.vector.begin(), pair.vector.end(), vector + 3 * n);
                    std::copy(pair.shift.begin(), pair.shift.end(), shift + 3 * n);
                }
                *++first = n;
            }
        }
    }

private:
    std::vector<Portion> portions_;
};

}  // namespace diverse
