// Tanh networks on batches of atoms: energies, slopes, and the gradient of a loss of both.
//
// The input is x = (B - mean) / scale = h_0, the hidden layers are h_k = tanh(W_k h_(k-1) + b_k),
// the energy of an atom is e = w . h_n + b. With d_k = 1 - h_k^2, element by element,
//     p_n = d_n w,  p_(k-1) = d_(k-1) W_k^T p_k,  de/dx = W_1^T p_1.
// For a loss whose derivatives by e and de/dx are v and t_0 (the R-operator of Pearlmutter,
// Neural Comput. 6, 147 (1994), gives the part of the slopes),
//     c_k = W_k t_(k-1),  t_k = d_k c_k,
//     a_n = d_n v w - 2 h_n c_n p_n,  a_(k-1) = d_(k-1) W_k^T a_k - 2 h_(k-1) c_(k-1) p_(k-1),
// the gradient by W_k is a_k h_(k-1)^T + p_k t_(k-1)^T, by b_k it is a_k, by w it is v h_n + t_n and
// by b it is v, each summed over the atoms.
//
// A matrix has a row for each neuron and a column for each atom of a chunk. Columns that stand for
// no atom have v = 0, t_0 = 0: they add nothing.
#pragma once

#include <algorithm>
#include <vector>

#include "tanh.hpp"

namespace diverse {

constexpr std::int64_t chunk_atoms = 128;

template <class T>
constexpr std::int64_t block_atoms = 2 * n_lanes<T>;  // columns whose sums are in registers

template <class T>  // not a power of two, so that rows do not compete for the same cache lines
constexpr std::int64_t row_length = chunk_atoms + n_lanes<T>;

// out[o] = bias[o] + sum over i of weight[o row_step + i step] in[i], for the `Rows` first rows and
// the columns of one block; no bias where the pointer is null
template <class T, int Rows>
inline void multiply_block(std::int64_t n_in, const T* weight, std::int64_t row_step,
                           std::int64_t step, const T* bias, const T* in, T* out) {
    Lanes<T> sum[Rows][2];
    for (int r = 0; r < Rows; ++r) sum[r][0] = sum[r][1] = all_lanes(bias ? bias[r] : T(0));
    for (std::int64_t i = 0; i < n_in; ++i, in += row_length<T>) {
        const Lanes<T> left = load(in), right = load(in + n_lanes<T>);
        for (int r = 0; r < Rows; ++r) {
            const T factor = weight[r * row_step + i * step];
            sum[r][0] += factor * left;
            sum[r][1] += factor * right;
        }
    }
    for (int r = 0; r < Rows; ++r, out += row_length<T>) {
        store(out, sum[r][0]);
        store(out + n_lanes<T>, sum[r][1]);
    }
}

// The same for any number of rows and columns.
template <class T>
void multiply(std::int64_t n_columns, std::int64_t n_out, std::int64_t n_in, const T* weight,
              std::int64_t row_step, std::int64_t step, const T* bias, const T* in, T* out) {
    for (std::int64_t c = 0; c < n_columns; c += block_atoms<T>)
        for (std::int64_t o = 0; o < n_out; o += 4) {
            const T *rows = weight + o * row_step, *start = bias ? bias + o : nullptr;
            T* to = out + o * row_length<T> + c;
            switch (std::min<std::int64_t>(4, n_out - o)) {
                case 1: multiply_block<T, 1>(n_in, rows, row_step, step, start, in + c, to); break;
                case 2: multiply_block<T, 2>(n_in, rows, row_step, step, start, in + c, to); break;
                case 3: multiply_block<T, 3>(n_in, rows, row_step, step, start, in + c, to); break;
                default: multiply_block<T, 4>(n_in, rows, row_step, step, start, in + c, to);
            }
        }
}

// sum[o n_in + i] += sum over columns of a[o] h[i] + p[o] t[i], for `Rows` times `Columns` of them
template <class T, int Rows, int Columns>
inline void add_products_block(std::int64_t n_columns, std::int64_t n_in, const T* a, const T* h,
                               const T* p, const T* t, T* sum) {
    Lanes<T> part[Rows][Columns] = {};
    for (std::int64_t c = 0; c < n_columns; c += n_lanes<T>) {
        Lanes<T> first[Columns], second[Columns];
        for (int i = 0; i < Columns; ++i) {
            first[i] = load(h + i * row_length<T> + c);
            second[i] = load(t + i * row_length<T> + c);
        }
        for (int o = 0; o < Rows; ++o) {
            const Lanes<T> of_a = load(a + o * row_length<T> + c);
            const Lanes<T> of_p = load(p + o * row_length<T> + c);
            for (int i = 0; i < Columns; ++i) {
                part[o][i] += of_a * first[i];
                part[o][i] += of_p * second[i];
            }
        }
    }
    for (int o = 0; o < Rows; ++o)
        for (int i = 0; i < Columns; ++i) sum[o * n_in + i] += sum_of_lanes<T>(part[o][i]);
}

// The same for any number of them.
template <class T>
void add_products(std::int64_t n_columns, std::int64_t n_out, std::int64_t n_in, const T* a,
                  const T* h, const T* p, const T* t, T* sum) {
    const std::int64_t even = n_in - n_in % 2, length = row_length<T>;
    std::int64_t o = 0;
    for (; o + 4 <= n_out; o += 4, a += 4 * length, p += 4 * length, sum += 4 * n_in) {
        for (std::int64_t i = 0; i < even; i += 2)
            add_products_block<T, 4, 2>(n_columns, n_in, a, h + i * length, p, t + i * length,
                                        sum + i);
        if (even < n_in)
            add_products_block<T, 4, 1>(n_columns, n_in, a, h + even * length, p,
                                        t + even * length, sum + even);
    }
    for (; o < n_out; ++o, a += length, p += length, sum += n_in)
        for (std::int64_t i = 0; i < n_in; ++i)
            add_products_block<T, 1, 1>(n_columns, n_in, a, h + i * length, p, t + i * length,
                                        sum + i);
}

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
    std::int64_t saved_size() const {
        return (2 * first_row_.back() - n_inputs()) * row_length<T>;
    }

    // Energies, and slopes de/dx as rows; x is there in `saved`.
    void slopes(std::int64_t n_columns, const T* parameters, T* saved, T* energies, T* slope) const {
        for (std::int64_t k = 1; k <= n_hidden_; ++k) {
            T* h = hidden(saved, k);
            multiply(n_columns, widths_[k], widths_[k - 1], weight(parameters, k), widths_[k - 1],
                     std::int64_t(1), bias(parameters, k), hidden(saved, k - 1), h);
            for_each(n_columns, widths_[k], [](Lanes<T> a) { return hyperbolic_tangent<T>(a); }, h, h);
        }
        const T* last = weight(parameters, n_hidden_ + 1);
        multiply(n_columns, std::int64_t(1), widths_[n_hidden_], last, std::int64_t(0),
                 std::int64_t(1), bias(parameters, n_hidden_ + 1), hidden(saved, n_hidden_),
                 energies);
        T* p = backward(saved, n_hidden_);
        for (std::int64_t o = 0; o < widths_[n_hidden_]; ++o)
            for (std::int64_t c = 0; c < n_columns; ++c) p[o * row_length<T> + c] = last[o];
        for (std::int64_t k = n_hidden_; k > 0; --k) {
            for_each(n_columns, widths_[k],
                     [](Lanes<T> g, Lanes<T> h) { return g * (T(1) - h * h); },
                     backward(saved, k), backward(saved, k), hidden(saved, k));
            multiply(n_columns, widths_[k - 1], widths_[k], weight(parameters, k), std::int64_t(1),
                     widths_[k - 1], static_cast<const T*>(nullptr), backward(saved, k),
                     k > 1 ? backward(saved, k - 1) : slope);
        }
    }

    // Adds the gradient by the parameters; v is one row, t_0 are rows.
    void add_gradient(std::int64_t n_columns, const T* parameters, T* saved, const T* v,
                      const T* t_0, T* gradient) const {
        const std::int64_t n_rows = first_row_.back(), n = n_hidden_;
        std::vector<T> memory(4 * n_rows * row_length<T>);
        T *t = memory.data(), *c = t + n_rows * row_length<T>, *a = c + n_rows * row_length<T>;
        T* zero = a + n_rows * row_length<T>;
        std::copy(t_0, t_0 + n_inputs() * row_length<T>, t);
        for (std::int64_t k = 1; k <= n; ++k) {
            multiply(n_columns, widths_[k], widths_[k - 1], weight(parameters, k), widths_[k - 1],
                     std::int64_t(1), static_cast<const T*>(nullptr), hidden(t, k - 1),
                     hidden(c, k));
            for_each(n_columns, widths_[k],
                     [](Lanes<T> along, Lanes<T> h) { return along * (T(1) - h * h); },
                     hidden(t, k), hidden(c, k), hidden(saved, k));
        }
        const T* last = weight(parameters, n + 1);
        T* of_last = gradient + first_number_[n];
        for (std::int64_t o = 0; o < widths_[n]; ++o) {
            T* row = hidden(a, n) + o * row_length<T>;
            for (std::int64_t i = 0; i < n_columns; ++i) row[i] = last[o] * v[i];
        }
        // One row of ones beside v: sums of t_n, and of v itself.
        std::fill(zero, zero + row_length<T>, T(1));
        add_products(n_columns, std::int64_t(1), widths_[n], v, hidden(saved, n), zero, hidden(t, n),
                     of_last);
        add_sums(n_columns, std::int64_t(1), v, of_last + widths_[n]);
        for (std::int64_t k = n; k > 0; --k) {
            for_each(n_columns, widths_[k],
                     [](Lanes<T> back, Lanes<T> h, Lanes<T> along, Lanes<T> p) {
                         const Lanes<T> kept = back * (T(1) - h * h);
                         return kept - (T(2) * h) * (along * p);
                     },
                     hidden(a, k), hidden(a, k), hidden(saved, k), hidden(c, k),
                     backward(saved, k));
            add_products(n_columns, widths_[k], widths_[k - 1], hidden(a, k), hidden(saved, k - 1),
                         backward(saved, k), hidden(t, k - 1), gradient + first_number_[k - 1]);
            add_sums(n_columns, widths_[k], hidden(a, k),
                     gradient + first_number_[k - 1] + widths_[k] * widths_[k - 1]);
            if (k > 1)
                multiply(n_columns, widths_[k - 1], widths_[k], weight(parameters, k),
                         std::int64_t(1), widths_[k - 1], static_cast<const T*>(nullptr),
                         hidden(a, k), hidden(a, k - 1));
        }
    }

private:
    const T* weight(const T* parameters, std::int64_t k) const {
        return parameters + first_number_[k - 1];
    }
    const T* bias(const T* parameters, std::int64_t k) const {
        return weight(parameters, k) + widths_[k] * widths_[k - 1];
    }
    template <class U>  // the rows of layer k, 0 for the input
    U* hidden(U* rows, std::int64_t k) const {
        return rows + first_row_[k] * row_length<T>;
    }
    template <class U>  // the rows of p_k, which follow those of all layers
    U* backward(U* rows, std::int64_t k) const {
        return rows + (first_row_.back() + first_row_[k] - n_inputs()) * row_length<T>;
    }

    // out = function(in ...), element by element
    template <class Function, class... In>
    static void for_each(std::int64_t n_columns, std::int64_t n_rows, Function function, T* out,
                         const In*... in) {
        for (std::int64_t r = 0; r < n_rows; ++r)
            for (std::int64_t c = 0; c < n_columns; c += n_lanes<T>) {
                const std::int64_t place = r * row_length<T> + c;
                store(out + place, function(load(in + place)...));
            }
    }

    static void add_sums(std::int64_t n_columns, std::int64_t n_rows, const T* rows, T* sums) {
        for (std::int64_t r = 0; r < n_rows; ++r, rows += row_length<T>) {
            Lanes<T> sum = {};
            for (std::int64_t c = 0; c < n_columns; c += n_lanes<T>) sum += load(rows + c);
            sums[r] += sum_of_lanes<T>(sum);
        }
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

    // Calls function(network, first atom, atoms, columns, place in saved) for all chunks.
    template <class Function>
    void for_chunks(const Function& function) const {
        std::vector<std::int64_t> place(n_networks + 1, 0);
        for (std::int64_t s = 0; s < n_networks; ++s)
            place[s + 1] = place[s] + n_chunks(first[s + 1] - first[s]);
#pragma omp parallel for num_threads(threads) schedule(dynamic)
        for (std::int64_t s = 0; s < n_networks; ++s)
            for (std::int64_t i = first[s], k = place[s]; i < first[s + 1]; i += chunk_atoms, ++k) {
                const std::int64_t n = std::min(chunk_atoms, first[s + 1] - i);
                const std::int64_t blocks = (n + block_atoms<T> - 1) / block_atoms<T>;
                function(s, i, n, blocks * block_atoms<T>, k);
            }
    }

    void slopes(const double* descriptors, const std::int64_t* atoms, const T* parameters,
                T* energies, T* slope, T* saved) const {
        const TanhNetwork<T> network(n_layers, widths);
        const std::int64_t n_inputs = network.n_inputs();
        for_chunks([&](std::int64_t s, std::int64_t begin, std::int64_t n, std::int64_t n_columns,
                       std::int64_t k) {
            const double *centre = mean + n_inputs * s, *factor = inverse_scale + n_inputs * s;
            std::vector<T> energy(row_length<T>), rows(n_inputs * row_length<T>);
            T* x = saved + k * network.saved_size();
            std::fill(x, x + n_inputs * row_length<T>, T(0));
            for (std::int64_t i = 0; i < n; ++i) {
                const double* row = descriptors + n_inputs * atoms[begin + i];
                for (std::int64_t d = 0; d < n_inputs; ++d)
                    x[d * row_length<T> + i] = T((row[d] - centre[d]) * factor[d]);
            }
            network.slopes(n_columns, parameters + s * network.n_parameters(), x, energy.data(),
                           rows.data());
            std::copy(energy.begin(), energy.begin() + n, energies + begin);
            for (std::int64_t i = 0; i < n; ++i)
                for (std::int64_t d = 0; d < n_inputs; ++d)
                    slope[n_inputs * (begin + i) + d] = rows[d * row_length<T> + i] * T(factor[d]);
        });
    }

    void gradient(const T* parameters, const T* by_energy, const T* by_slope, T* saved,
                  T* gradient) const {
        const TanhNetwork<T> network(n_layers, widths);
        const std::int64_t n_inputs = network.n_inputs(), n_parameters = network.n_parameters();
        std::fill(gradient, gradient + n_networks * n_parameters, T(0));
        for_chunks([&](std::int64_t s, std::int64_t begin, std::int64_t n, std::int64_t n_columns,
                       std::int64_t k) {
            const double* factor = inverse_scale + n_inputs * s;
            std::vector<T> v(row_length<T>), t(n_inputs * row_length<T>);
            std::copy(by_energy + begin, by_energy + begin + n, v.begin());
            for (std::int64_t i = 0; i < n; ++i)
                for (std::int64_t d = 0; d < n_inputs; ++d)
                    t[d * row_length<T> + i] = by_slope[n_inputs * (begin + i) + d] * T(factor[d]);
            network.add_gradient(n_columns, parameters + s * n_parameters,
                                 saved + k * network.saved_size(), v.data(), t.data(),
                                 gradient + s * n_parameters);
        });
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
