#pragma once

#include <string>
#include <vector>

#include "orders.hpp"

namespace recount::saga_test {

/// Orders with four ends: completed, and undone from each of three steps on.
inline std::vector<Ordered> many_orders(int count = 24) {
    std::vector<Ordered> orders;
    for (int i = 0; i < count; ++i) {
        std::vector<Part> parts{part("a"), part("b"), part("c", {"a", "b"}), part("d", {"c"})};
        if (i % 4 > 0) parts[static_cast<std::size_t>(i % 4)].set_refused(true);
        orders.push_back(order("o-" + std::to_string(i), std::move(parts)));
    }
    return orders;
}

}  // namespace recount::saga_test
