// Products of matrices that have a column for each atom of a chunk, in sums of one order.
#pragma once

#include <algorithm>
#include <cstdint>

#include "lanes.hpp"

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

// sums[r] += sum of row r
template <class T>
void add_sums(std::int64_t n_columns, std::int64_t n_rows, const T* rows, T* sums) {
    for (std::int64_t r = 0; r < n_rows; ++r, rows += row_length<T>) {
        Lanes<T> sum = {};
        for (std::int64_t c = 0; c < n_columns; c += n_lanes<T>) sum += load(rows + c);
        sums[r] += sum_of_lanes<T>(sum);
    }
}

// out = function(in ...), element by element
template <class T, class Function, class... In>
void for_each(std::int64_t n_columns, std::int64_t n_rows, Function function, T* out,
              const In*... in) {
    for (std::int64_t r = 0; r < n_rows; ++r)
        for (std::int64_t c = 0; c < n_columns; c += n_lanes<T>) {
            const std::int64_t place = r * row_length<T> + c;
            store(out + place, function(load(in + place)...));
        }
}

}  // namespace diverse
