#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <recount/core/error.hpp>
#include <recount/testing.hpp>

#include "orders.hpp"
#include "watched_store.hpp"
#include "world_with_alarm.hpp"

namespace recount::saga_test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

/// A store that does as a test says before it claims a command id.
class ClaimingStore : public WatchedStore {
public:
    explicit ClaimingStore(EventStore& store) : WatchedStore(store, [](int, When) {}) {}
    CommandOutcome void_command(std::string_view command_id) override {
        before_claim();
        return WatchedStore::void_command(command_id);
    }
    std::function<void()> before_claim = [] {};
};

/// A step has not happened when its limit passes, and its command id is to be claimed.
class AClaim : public WorldWithAlarm {
protected:
    AClaim() {
        limited_.mutable_parts(0)->set_within_ms(1000);
        Weather::today().contended["o-1/a"] = 1;
        service_.place(limited_);
        EXPECT_EQ(service_.sagas.catch_up().open, 1);
        world_.advance(10s);
        service_.place(healthy_);
    }

    Ordered limited_ = order("o-1", {part("a")});
    const Ordered healthy_ = order("healthy", {part("a")});
    ClaimingStore claiming_{*store_};
    Service service_{claiming_};
};

TEST_F(AClaim, WhoseOutcomeCannotBeReadHaltsItsOwnSagaOnly) {
    claiming_.before_claim = [] { throw UnreadableEvent("an outcome that nobody can read"); };
    const SagaProgress progress = service_.sagas.catch_up();
    EXPECT_EQ(progress.attention, 1);
    EXPECT_EQ(progress.completed, 1);
    const auto status = service_.sagas.status("fulfil", "o-1");
    EXPECT_EQ(status->phase, "making_certain");
    EXPECT_THAT(status->attention, HasSubstr("an outcome that nobody can read"));

    claiming_.before_claim = [] {};
    EXPECT_EQ(service_.sagas.resume("fulfil", "o-1", "it can be read"), std::nullopt);
    EXPECT_EQ(service_.sagas.catch_up().compensated, 1);
    EXPECT_THAT(audit(*store_, {limited_, healthy_}), IsEmpty());
}

TEST_F(AClaim, IsMadeAgainWhenTheStoreIsBack) {
    claiming_.before_claim = [] { throw Unavailable("the store is away"); };
    EXPECT_THROW(service_.sagas.catch_up(), Unavailable);
    claiming_.before_claim = [] {};
    const SagaProgress progress = service_.sagas.catch_up();
    EXPECT_EQ(progress.attention, 0);
    EXPECT_EQ(progress.compensated, 1);
    EXPECT_THAT(audit(*store_, {limited_, healthy_}), IsEmpty());
}

}  // namespace
}  // namespace recount::saga_test
