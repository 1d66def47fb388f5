// Lanes: one vector register holds the same quantity of several atoms.
//
// Everything the kernel does to one atom it does to all lanes at once: a sum over the neighbours
// of an atom is then a plain vertical sum, and no instruction ever mixes two atoms. So the result
// of an atom depends neither on the atoms that share its register nor on the number of threads.
#pragma once

#include <cmath>
#include <cstddef>
#include <new>

#ifndef DIVERSE_LANE_BYTES
#define DIVERSE_LANE_BYTES 16  // SSE2, NEON; the build script gives 32 for AVX2, 64 for AVX-512
#endif

namespace diverse {

template <class T>
struct LaneType {
    typedef T Vector __attribute__((vector_size(DIVERSE_LANE_BYTES)));
};

template <class T>
using Lanes = typename LaneType<T>::Vector;

template <class T>
constexpr int n_lanes = DIVERSE_LANE_BYTES / sizeof(T);

template <class T>
inline Lanes<T> all_lanes(T value) {
    return Lanes<T>{} + value;
}

template <class T>
inline Lanes<T> load(const T* from) {
    Lanes<T> lanes;
    __builtin_memcpy(&lanes, from, sizeof lanes);
    return lanes;
}

template <class T>
inline void store(T* to, Lanes<T> lanes) {
    __builtin_memcpy(to, &lanes, sizeof lanes);
}

// The only function that mixes lanes: for sums over atoms.
template <class T>
inline T sum_of_lanes(Lanes<T> lanes) {
    T sum = 0;
    for (int l = 0; l < n_lanes<T>; ++l) sum += lanes[l];
    return sum;
}

template <class T>
inline Lanes<T> square_root(Lanes<T> x) {
    T lane[n_lanes<T>];
    for (int l = 0; l < n_lanes<T>; ++l) lane[l] = x[l];
    for (int l = 0; l < n_lanes<T>; ++l) lane[l] = std::sqrt(lane[l]);
    for (int l = 0; l < n_lanes<T>; ++l) x[l] = lane[l];
    return x;
}

// A complex number per lane.
template <class T>
struct Complex {
    Lanes<T> re, im;

    void operator+=(const Complex& z) {
        re += z.re;
        im += z.im;
    }
};

// sum += factor * z, with a real factor (a scalar for all lanes or one number per lane)
template <class T, class Factor>
inline void add_scaled(Complex<T>& sum, Factor factor, const Complex<T>& z) {
    sum.re += factor * z.re;
    sum.im += factor * z.im;
}

// Re(conj(x) y), the scalar product of two complex numbers seen as vectors of the plane
template <class T>
inline Lanes<T> dot(const Complex<T>& x, const Complex<T>& y) {
    return x.re * y.re + x.im * y.im;
}

template <class T>
inline Complex<T> product(const Complex<T>& x, const Complex<T>& y) {
    return {x.re * y.re - x.im * y.im, x.re * y.im + x.im * y.re};
}

// Memory aligned for vector loads; Item is Lanes, Complex or a struct of these.
template <class Item>
class Buffer {
public:
    explicit Buffer(std::size_t n)
        : n_(n), data_(static_cast<Item*>(::operator new(n * sizeof(Item) + 64, alignment))) {
        clear();
    }
    ~Buffer() { ::operator delete(data_, alignment); }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;

    Item* data() { return data_; }
    Item& operator[](std::size_t i) { return data_[i]; }
    void clear() {
        for (std::size_t i = 0; i < n_; ++i) data_[i] = Item{};
    }

private:
    static constexpr std::align_val_t alignment{64};
    std::size_t n_;
    Item* data_;
};

}  // namespace diverse
