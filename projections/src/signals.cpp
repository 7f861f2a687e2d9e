#include "signals.hpp"

#include <map>
#include <mutex>
#include <tuple>

namespace recount::projections {

std::shared_ptr<Signal> moved_signal(Scheduler& scheduler, const std::string& place,
                                     const std::string& view) {
    using Key = std::tuple<Scheduler*, std::string, std::string>;
    static std::mutex mutex;
    static std::map<Key, std::weak_ptr<Signal>> signals;
    const std::scoped_lock lock{mutex};
    std::erase_if(signals, [](const auto& entry) { return entry.second.expired(); });
    std::weak_ptr<Signal>& known = signals[{&scheduler, place, view}];
    std::shared_ptr<Signal> signal = known.lock();
    if (!signal) {
        signal = scheduler.signal();
        known = signal;
    }
    return signal;
}

}  // namespace recount::projections
