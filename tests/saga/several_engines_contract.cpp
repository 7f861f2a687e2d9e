#include <gmock/gmock.h>

#include "many_orders.hpp"
#include "on_a_store.hpp"
#include "support/eventually.hpp"

namespace recount::saga_test {
namespace {

/// Stores that several processes may write are opened twice; else two engines share one.
class SeveralEngines : public OnAStore {
protected:
    SeveralEngines() {
        store_.reset();
        const std::string where = url();
        store_ = open_store(where, {.partitions = 1});
        if (where.starts_with("postgresql")) second_ = open_store(where, {.partitions = 1});
    }
    EventStore& second() { return second_ ? *second_ : *store_; }

    std::unique_ptr<EventStore> second_;
};

TEST_P(SeveralEngines, CarryOutEachSagaOnce) {
    const std::vector<Ordered> orders = many_orders(40);
    const SagaEngineOptions options{.sagas_at_once = 3, .commands_per_commit = 5};
    Service one{*store_, options};
    Service other{second(), options};
    std::stop_source stop;
    std::vector<std::unique_ptr<Task>> tasks;
    std::vector<SagaEngine::Ended> ended(2);
    for (Service* service : {&one, &other}) {
        tasks.push_back(
            store_->environment().scheduler.spawn("sagas", [&, service](const std::stop_token&) {
                ended[service == &one ? 0 : 1] = service->sagas.run(stop.get_token());
            }));
    }
    for (const Ordered& order : orders) one.place(order);
    EXPECT_TRUE(test::eventually([&] { return audit(*store_, orders, Engines::several).empty(); }));
    stop.request_stop();
    tasks.clear();
    for (const SagaEngine::Ended& end : ended) EXPECT_TRUE(end.asked) << end.reason;
    EXPECT_THAT(audit(*store_, orders, Engines::several), testing::IsEmpty());
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Engines, SeveralEngines, testing::ValuesIn(kinds_of_stores()),
                         [](const auto& kind) { return std::string{kind.param}; });

}  // namespace recount::saga_test
