// [counter]
#include <recount/core.hpp>
#include <recount/eventstore.hpp>

#include <iostream>

#include "counter.pb.h"

namespace counter {

struct Count {
    static constexpr std::string_view category = "counter";  // streams are "counter-<id>"
    using Event = recount::Events<Increased>;
    std::int64_t value = 0;
};

Count evolve(Count count, const Increased& event) {
    count.value += event.by();
    return count;
}

recount::Decision<Count> decide(const Count& count, const Increase& command) {
    if (command.by() < 1) return recount::reject("not_an_increase");
    if (command.by() > INT64_MAX - count.value) return recount::reject("too_much");
    Increased increased;
    increased.set_by(command.by());
    return increased;
}

}  // namespace counter

int main(int argc, char** argv) {
    const auto store = recount::open_store("sqlite:counter.db");
    recount::Repository<counter::Count> counts{*store};
    counter::Increase command;
    command.set_by(argc > 1 ? std::atoll(argv[1]) : 1);
    const auto outcome = counts.handle("visits", command);
    if (!outcome) std::cout << "refused: " << outcome.rejection().code << "\n";
    std::cout << "visits: " << counts.load("visits").state.value << "\n";
}
// [counter]
