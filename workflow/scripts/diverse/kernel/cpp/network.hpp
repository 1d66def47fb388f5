// Tanh networks on batches of atoms: energies, slopes, and the gradient of a loss of both.
//
// The input is x = (B - mean) / scale = h_0, the hidden layers are h_k = tanh(W_k h_(k-1) + b_k),
// the energy of an atom is e = w . h_n + b. With d_k = 1 - h_k^2, element by element,
//     p_n = d_n w,  p_(k-1) = d_(k-1) W_k^T p_k,  de/dx = W_1^T p_1.
// For a loss whose derivatives by e and de/dx are v and t_0 (the R-operator of Pearlmutter,
// Neural Comput. 6, 147 (1994), gives the part of the slopes),
//     c_k = W_k t_(k-1),  t_k = d_k c_k,
//     a_n = d_n v w - 2 h_n c_n p_n,
//     a_(k-1) = d_(k-1) W_k^T a_k - 2 h_(k-1) c_(k-1) p_(k-1);
// the gradient by W_k is a_k h_(k-1)^T + p_k t_(k-1)^T, by b_k it is a_k, by w it is v h_n + t_n and
// by b it is v, each summed over the atoms.
//
// A matrix has a row for each neuron and a column for each atom of a chunk. Columns that stand for
// no atom have v = 0, t_0 = 0: they add nothing.
#pragma once

#include <vector>

#include "matrices.hpp"
#include "tanh.hpp"

namespace diverse {

// One network on one chunk. Layer k of 1 .. n_hidden + 1 has widths[k] neurons; the last has one.
template <class T>
class TanhNetwork {
public:
    TanhNetwork(std::int64_t n_layers, const std::int64_t* widths)
        : n_hidden_(n_layers - 1), widths_(widths), first_row_{0}, first_number_{0} {
        for (std::int64_t k = 0; k <= n_hidden_; ++k) {
            first_row_.push_back(first_row_[k] + widths[k]);
            first_number_.push_back(first_number_[k] + (widths[k] + 1) * widths[k + 1]);
        }
    }

    std::int64_t n_inputs() const { return widths_[0]; }
    std::int64_t n_parameters() const { return first_number_.back(); }
    // Numbers kept of a chunk: x, every h and every p.
    std::int64_t saved_size() const { return (2 * n_rows() - n_inputs()) * row_length<T>; }

    // Energies, and slopes de/dx as rows; x is there in `saved`, where every h and p is left.
    void slopes(std::int64_t n_columns, const T* parameters, T* saved, T* energies,
                T* slope) const {
        for (std::int64_t k = 1; k <= n_hidden_; ++k) {
            T* h = rows(saved, k);
            forward(n_columns, k, parameters, bias(parameters, k), rows(saved, k - 1), h);
            for_each(n_columns, widths_[k], hyperbolic_tangent<T>, h, h);
        }
        const std::int64_t end = n_hidden_ + 1;
        forward(n_columns, end, parameters, bias(parameters, end), rows(saved, n_hidden_),
                energies);
        for (std::int64_t k = n_hidden_; k > 0; --k) {
            T* p = backward_rows(saved, k);
            if (k == n_hidden_) fill_rows(n_columns, widths_[k], weight(parameters, end), p);
            for_each(n_columns, widths_[k], times_derivative, p, p, rows(saved, k));
            backward(n_columns, k, parameters, p, k > 1 ? backward_rows(saved, k - 1) : slope);
        }
    }

    // Adds the gradient by the parameters; v is one row, t_0 are rows.
    void add_gradient(std::int64_t n_columns, const T* parameters, const T* saved, const T* v,
                      const T* t_0, T* gradient) const {
        std::vector<T> memory(3 * n_rows() * row_length<T>);
        T *t = memory.data(), *c = t + n_rows() * row_length<T>, *a = c + n_rows() * row_length<T>;
        std::copy(t_0, t_0 + n_inputs() * row_length<T>, t);
        for (std::int64_t k = 1; k <= n_hidden_; ++k) {
            forward(n_columns, k, parameters, static_cast<const T*>(nullptr), rows(t, k - 1),
                    rows(c, k));
            for_each(n_columns, widths_[k], times_derivative, rows(t, k), rows(c, k),
                     rows(saved, k));
        }
        add_last_gradient(n_columns, rows(saved, n_hidden_), rows(t, n_hidden_), v, gradient);
        backward(n_columns, n_hidden_ + 1, parameters, v, rows(a, n_hidden_));
        for (std::int64_t k = n_hidden_; k > 0; --k) {
            const T *h = rows(saved, k - 1), *p = backward_rows(saved, k);
            T* of_layer = gradient + first_number_[k - 1];
            for_each(n_columns, widths_[k], through_tangent, rows(a, k), rows(a, k), rows(saved, k),
                     rows(c, k), p);
            add_products(n_columns, widths_[k], widths_[k - 1], rows(a, k), h, p, rows(t, k - 1),
                         of_layer);
            add_sums(n_columns, widths_[k], rows(a, k), of_layer + widths_[k] * widths_[k - 1]);
            if (k > 1) backward(n_columns, k, parameters, rows(a, k), rows(a, k - 1));
        }
    }

private:
    std::int64_t n_rows() const { return first_row_.back(); }
    const T* weight(const T* parameters, std::int64_t k) const {
        return parameters + first_number_[k - 1];
    }
    const T* bias(const T* parameters, std::int64_t k) const {
        return weight(parameters, k) + widths_[k] * widths_[k - 1];
    }
    template <class U>  // the rows of layer k, 0 for the input
    U* rows(U* all, std::int64_t k) const {
        return all + first_row_[k] * row_length<T>;
    }
    template <class U>  // the rows of p_k, which follow those of all layers
    U* backward_rows(U* all, std::int64_t k) const {
        return all + (n_rows() + first_row_[k] - n_inputs()) * row_length<T>;
    }

    // out = W_k in + bias
    void forward(std::int64_t n_columns, std::int64_t k, const T* parameters, const T* bias,
                 const T* in, T* out) const {
        multiply<T>(n_columns, widths_[k], widths_[k - 1], weight(parameters, k), widths_[k - 1], 1,
                    bias, in, out);
    }

    // out = W_k^T in
    void backward(std::int64_t n_columns, std::int64_t k, const T* parameters, const T* in,
                  T* out) const {
        multiply<T>(n_columns, widths_[k - 1], widths_[k], weight(parameters, k), 1, widths_[k - 1],
                    nullptr, in, out);
    }

    // out[r] = values[r] in all columns
    static void fill_rows(std::int64_t n_columns, std::int64_t n_rows, const T* values, T* out) {
        for (std::int64_t r = 0; r < n_rows; ++r, out += row_length<T>)
            std::fill(out, out + n_columns, values[r]);
    }

    // d g, with the derivative d = 1 - h^2 of the tangent h
    static Lanes<T> times_derivative(Lanes<T> g, Lanes<T> h) { return g * (T(1) - h * h); }

    // a_k from W^T a, h_k, c_k and p_k
    static Lanes<T> through_tangent(Lanes<T> a, Lanes<T> h, Lanes<T> c, Lanes<T> p) {
        return (T(1) - h * h) * a - (T(2) * h) * (c * p);
    }

    // By w: v h_n + t_n; by b: v.
    void add_last_gradient(std::int64_t n_columns, const T* h, const T* t, const T* v,
                           T* gradient) const {
        T* sums = gradient + first_number_[n_hidden_];
        for (std::int64_t o = 0; o < widths_[n_hidden_]; ++o) {
            Lanes<T> sum = {};
            for (std::int64_t c = 0; c < n_columns; c += n_lanes<T>) {
                sum += load(v + c) * load(h + o * row_length<T> + c);
                sum += load(t + o * row_length<T> + c);
            }
            sums[o] += sum_of_lanes<T>(sum);
        }
        add_sums(n_columns, 1, v, sums + widths_[n_hidden_]);
    }

    std::int64_t n_hidden_;
    const std::int64_t* widths_;
    std::vector<std::int64_t> first_row_, first_number_;
};

// Networks of one shape, network s of them on the atoms first[s] .. first[s + 1] - 1 of a batch; row
// atoms[i] of `descriptors` belongs to atom i. Networks do not see each other, and their sums have
// one order whatever the number of threads.
template <class T>
struct NetworkStack {
    std::int64_t n_layers;
    const std::int64_t* widths;
    std::int64_t n_networks;
    const std::int64_t* first;
    const double *mean, *inverse_scale;  // [network][component]
    int threads;

    static std::int64_t n_chunks(std::int64_t n_atoms) {
        return (n_atoms + chunk_atoms - 1) / chunk_atoms;
    }

    // A chunk of the atoms of one network, and its number among all chunks.
    struct Chunk {
        std::int64_t network, begin, n_atoms, number;

        std::int64_t n_columns() const {
            return (n_atoms + block_atoms<T> - 1) / block_atoms<T> * block_atoms<T>;
        }
    };

    std::vector<Chunk> chunks() const {
        std::vector<Chunk> all;
        for (std::int64_t s = 0; s < n_networks; ++s)
            for (std::int64_t i = first[s]; i < first[s + 1]; i += chunk_atoms)
                all.push_back({s, i, std::min(chunk_atoms, first[s + 1] - i),
                               static_cast<std::int64_t>(all.size())});
        return all;
    }

    template <class Function>
    void for_all(const std::vector<Chunk>& all, const Function& function) const {
#pragma omp parallel for num_threads(threads) schedule(dynamic)
        for (std::size_t i = 0; i < all.size(); ++i) function(all[i]);
    }

    void slopes(const double* descriptors, const std::int64_t* atoms, const T* parameters,
                T* energies, T* slope, T* saved) const {
        const TanhNetwork<T> network(n_layers, widths);
        const std::int64_t n_inputs = network.n_inputs();
        for_all(chunks(), [&](const Chunk& chunk) {
            const double* centre = mean + n_inputs * chunk.network;
            const double* factor = inverse_scale + n_inputs * chunk.network;
            std::vector<T> energy(row_length<T>), rows(n_inputs * row_length<T>);
            T* x = saved + chunk.number * network.saved_size();
            std::fill(x, x + n_inputs * row_length<T>, T(0));
            for (std::int64_t i = 0; i < chunk.n_atoms; ++i) {
                const double* row = descriptors + n_inputs * atoms[chunk.begin + i];
                for (std::int64_t d = 0; d < n_inputs; ++d)
                    x[d * row_length<T> + i] = T((row[d] - centre[d]) * factor[d]);
            }
            network.slopes(chunk.n_columns(), parameters + chunk.network * network.n_parameters(),
                           x, energy.data(), rows.data());
            std::copy(energy.begin(), energy.begin() + chunk.n_atoms, energies + chunk.begin);
            T* out = slope + n_inputs * chunk.begin;
            for (std::int64_t i = 0; i < chunk.n_atoms; ++i)
                for (std::int64_t d = 0; d < n_inputs; ++d)
                    *out++ = rows[d * row_length<T> + i] * T(factor[d]);
        });
    }

    // The gradients of chunks are added up in their order, whichever thread computes them.
    void gradient(const T* parameters, const T* by_energy, const T* by_slope, T* saved,
                  T* gradient) const {
        const TanhNetwork<T> network(n_layers, widths);
        const std::int64_t n_inputs = network.n_inputs(), n_parameters = network.n_parameters();
        const std::vector<Chunk> all = chunks();
        std::vector<T> parts(all.size() * n_parameters);
        for_all(all, [&](const Chunk& chunk) {
            const double* factor = inverse_scale + n_inputs * chunk.network;
            std::vector<T> v(row_length<T>), t(n_inputs * row_length<T>);
            std::copy_n(by_energy + chunk.begin, chunk.n_atoms, v.begin());
            const T* in = by_slope + n_inputs * chunk.begin;
            for (std::int64_t i = 0; i < chunk.n_atoms; ++i)
                for (std::int64_t d = 0; d < n_inputs; ++d)
                    t[d * row_length<T> + i] = *in++ * T(factor[d]);
            network.add_gradient(chunk.n_columns(), parameters + chunk.network * n_parameters,
                                 saved + chunk.number * network.saved_size(), v.data(), t.data(),
                                 parts.data() + chunk.number * n_parameters);
        });
        std::fill(gradient, gradient + n_networks * n_parameters, T(0));
        for (const Chunk& chunk : all)
            for (std::int64_t i = 0; i < n_parameters; ++i)
                gradient[chunk.network * n_parameters + i] +=
                    parts[chunk.number * n_parameters + i];
    }
};

// One step of Adam with decoupled weight decay: Loshchilov & Hutter, arXiv:1711.05101; beta 0.9 and
// 0.999. The corrections are 1 - beta^steps.
template <class T>
void adamw(std::int64_t n, double rate, double decay, double correction, double square_correction,
           const T* gradient, T* mean, T* square, T* parameter) {
    const T kept = T(1 - rate * decay), step = T(rate / correction);
    const T root = T(1 / std::sqrt(square_correction));
    for (std::int64_t i = 0; i < n; ++i) {
        mean[i] += T(0.1) * (gradient[i] - mean[i]);
        square[i] += T(0.001) * (gradient[i] * gradient[i] - square[i]);
        const T change = mean[i] / (std::sqrt(square[i]) * root + T(1e-8));
        parameter[i] = kept * parameter[i] - step * change;
    }
}

}  // namespace diverse
