// Loops whose index the compiler knows: arrays indexed by it stay in registers.
#pragma once

#include <type_traits>
#include <utility>

#include "platform.hpp"

namespace diverse {

template <int n>
using Index = std::integral_constant<int, n>;

template <int first, class Body, int... steps>
DEVICE void unrolled_steps(Body& body, std::integer_sequence<int, steps...>) {
    (body(Index<first + steps>{}), ...);
}

// body(Index<first>{}), ..., body(Index<last - 1>{}); nothing where last <= first
template <int first, int last, class Body>
DEVICE void unrolled(Body&& body) {
    unrolled_steps<first>(body, std::make_integer_sequence<int, most(last - first, 0)>{});
}

}  // namespace diverse
