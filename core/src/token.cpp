#include <recount/core/session.hpp>

#include <algorithm>
#include <tuple>

namespace recount {

void Token::raise(const StorePositions& seen) {
    // Positions of nothing say nothing.
    if (seen.positions.empty()) return;
    const auto order = [](const StorePositions& left, const StorePositions& right) {
        return std::tie(left.store, left.incarnation) < std::tie(right.store, right.incarnation);
    };
    const auto place = std::lower_bound(stores_.begin(), stores_.end(), seen, order);
    if (place == stores_.end() || order(seen, *place)) {
        stores_.insert(place, seen);
    } else {
        place->positions.raise(seen.positions);
    }
}

void Token::raise(const Token& other) {
    for (const StorePositions& seen : other.stores_) raise(seen);
}

std::vector<StorePositions> Token::of(const Uuid& store) const {
    std::vector<StorePositions> found;
    std::copy_if(stores_.begin(), stores_.end(), std::back_inserter(found),
                 [&](const StorePositions& seen) { return seen.store == store; });
    return found;
}

}  // namespace recount
