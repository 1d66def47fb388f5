// The atoms of one cell and all their images within reach, sorted into bins.
//
// Once the images are points of their own, nothing is periodic any more: a search is a look at
// the points in the bins around an atom. Rows of bins along x lie in memory one after the other,
// so that what an atom looks at are nine runs of points, each gone through in one vector loop.
#pragma once

#include <algorithm>
#include <vector>

#include "lattice.hpp"

namespace diverse {

class Points {
public:
    struct Point {
        int atom;     // in the cell
        Image image;  // such that position + image . cell is where the point is
    };

    // coordinates: of the atoms, in the frame of the lattice, anywhere
    Points(const Lattice& lattice, std::vector<Vec> coordinates, double cutoff)
        : cutoff_(cutoff), home_(std::move(coordinates)) {
        for (Vec& c : home_) wrapped_.push_back(lattice.wrap(c));
        choose_bins(lattice);
        add_points(lattice);
    }

    // Calls visit(atom, shift) for all points within the cutoff of an atom and, for rounding, a
    // little beyond; shift is relative to the positions as given. The atom itself is left out.
    template <class Visit>
    void for_each_near(int atom, Visit visit) {
        const Vec& c = home_[atom];
        const Image& wrap = wrapped_[atom];
        const std::array<int, 3> bin = bin_of(c);
        const int last_x = std::min(bin[0] + bins_per_cutoff_x, n_[0] - 1);
        for (int z = std::max(bin[2] - 1, 0); z <= std::min(bin[2] + 1, n_[2] - 1); ++z)
            for (int y = std::max(bin[1] - 1, 0); y <= std::min(bin[1] + 1, n_[1] - 1); ++y) {
                const int begin = start_[number({std::max(bin[0] - bins_per_cutoff_x, 0), y, z})];
                const int end = start_[number({last_x, y, z}) + 1];
                const int n_near = find_near(c, begin, end);
                for (int i = 0; i < n_near; ++i) {
                    const Point& p = points_[near_[i]];
                    const Image shift = {p.image[0] - wrap[0], p.image[1] - wrap[1],
                                         p.image[2] - wrap[2]};
                    if (p.atom != atom || shift != Image{0, 0, 0}) visit(p.atom, shift);
                }
            }
    }

private:
    static constexpr int bins_per_cutoff_x = 4;  // finer along x, where it costs nothing

    // The region: the box, or what the atoms take up, and the cutoff around it.
    void choose_bins(const Lattice& lattice) {
        for (int k = 0; k < 3; ++k) {
            double low = 0, high = lattice.L[k][k];
            if (!lattice.periodic[k]) {
                low = high = home_.empty() ? 0 : home_[0][k];
                for (const Vec& c : home_) {
                    low = std::min(low, c[k]);
                    high = std::max(high, c[k]);
                }
            }
            low_[k] = low - cutoff_;
            high_[k] = high + cutoff_;
            const double width = (high_[k] - low_[k]) / cutoff_;
            n_[k] = static_cast<int>(std::min(1e6, width * (k == 0 ? bins_per_cutoff_x : 1)));
        }
        limit_bins(4096 + 8. * home_.size());
        for (int k = 0; k < 3; ++k) per_length_[k] = n_[k] / (high_[k] - low_[k]);
    }

    // A few atoms in a huge cell need no more bins than that: wider ones are as right.
    void limit_bins(double most) {
        while (static_cast<double>(n_[0]) * n_[1] * n_[2] > most)
            *std::max_element(n_.begin(), n_.end()) /= 2;
    }

    std::array<int, 3> bin_of(const Vec& c) const {
        std::array<int, 3> b;
        for (int k = 0; k < 3; ++k)
            b[k] = std::clamp(static_cast<int>((c[k] - low_[k]) * per_length_[k]), 0, n_[k] - 1);
        return b;
    }

    int number(const std::array<int, 3>& b) const { return (b[2] * n_[1] + b[1]) * n_[0] + b[0]; }

    // A counting sort of the points by bin.
    void add_points(const Lattice& lattice) {
        std::vector<Point> points;
        std::vector<Vec> places;
        std::vector<int> bins;
        start_.assign(n_[0] * n_[1] * n_[2] + 1, 0);
        for (std::size_t i = 0; i < home_.size(); ++i)
            lattice.for_each_image(home_[i], low_, high_, [&](Image n, const Vec& place) {
                for (int k = 0; k < 3; ++k) n[k] += wrapped_[i][k];
                points.push_back({static_cast<int>(i), n});
                places.push_back(place);
                bins.push_back(number(bin_of(place)));
                ++start_[bins.back() + 1];
            });
        for (std::size_t b = 1; b < start_.size(); ++b) start_[b] += start_[b - 1];
        std::vector<int> next(start_.begin(), start_.end() - 1);
        points_.resize(points.size());
        for (std::vector<double>& x : x_) x.resize(points.size());
        for (std::size_t p = 0; p < points.size(); ++p) {
            const int to = next[bins[p]]++;
            points_[to] = points[p];
            for (int k = 0; k < 3; ++k) x_[k][to] = places[p][k];
        }
        distance2_.resize(points.size());
        near_.resize(points.size());
    }

    // Fills near_ with the points of a run that are near a place; returns how many.
    int find_near(const Vec& c, int begin, int end) {
        const double *x = x_[0].data(), *y = x_[1].data(), *z = x_[2].data();
        double* distance2 = distance2_.data();
        for (int p = begin; p < end; ++p) {
            const double dx = x[p] - c[0], dy = y[p] - c[1], dz = z[p] - c[2];
            distance2[p] = dx * dx + dy * dy + dz * dz;
        }
        const double limit = cutoff_ * cutoff_ * (1 + 1e-9);
        int n = 0;
        for (int p = begin; p < end; ++p) {
            near_[n] = p;  // overwritten by the next one unless counted: no branch to mispredict
            n += distance2[p] < limit;
        }
        return n;
    }

    double cutoff_;
    std::vector<Vec> home_;       // the atoms in the box ...
    std::vector<Image> wrapped_;  // ... and what brought them there
    Vec low_, high_, per_length_;
    std::array<int, 3> n_;
    std::vector<int> start_;      // of each bin, in what follows
    std::vector<Point> points_;
    std::array<std::vector<double>, 3> x_;
    std::vector<double> distance2_;
    std::vector<int> near_;
};

}  // namespace diverse
