#include "support/eventually.hpp"

namespace recount::test {

bool eventually(const std::function<bool()>& condition, Duration limit) {
    Environment& environment = Environment::system();
    const auto end = environment.clock.steady() + limit;
    while (!condition()) {
        if (environment.clock.steady() >= end) return false;
        environment.scheduler.sleep(std::chrono::milliseconds{5});
    }
    return true;
}

}  // namespace recount::test
