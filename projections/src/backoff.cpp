#include "backoff.hpp"

#include <algorithm>
#include <cmath>

namespace recount::projections {

void Backoff::failed(Duration at_least) {
    const double most = std::min(static_cast<double>(options_.last_backoff.count()),
                                 static_cast<double>(options_.first_backoff.count()) *
                                     std::pow(2.0, std::min(failures_, 30)));
    const double chance = 0.5 + environment_.random.uniform() / 2;
    const Duration wait{static_cast<Duration::rep>(most * chance)};
    until_ = environment_.clock.steady() + std::max(wait, at_least);
    ++failures_;
}

std::optional<Duration> Backoff::left() const {
    if (failures_ == 0) return std::nullopt;
    const std::chrono::nanoseconds left = until_ - environment_.clock.steady();
    return std::max(Duration::zero(), std::chrono::ceil<Duration>(left));
}

}  // namespace recount::projections
