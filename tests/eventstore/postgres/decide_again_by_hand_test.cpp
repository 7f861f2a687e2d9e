#include <recount/eventstore.hpp>

#include <gtest/gtest.h>

#include "eventstore/postgres/appends.hpp"
#include "eventstore/postgres/own_schema.hpp"

#include <functional>
#include <optional>
#include <stdexcept>
#include <vector>

namespace recount::test {
namespace {

using Kind = AppendResult::Kind;

/// By hand, between two others.
class AppendInPlaceOfAnother : public testing::Test {
protected:
    /// The one before it is to cart-2.
    std::vector<AppendResult> append(DecideAgain decide_again, std::optional<Append> behind = {}) {
        stale_.decide_again = std::move(decide_again);
        std::vector<Append> group{append_to("cart-2"), stale_};
        if (behind) group.push_back(*std::move(behind));
        return store_->append(group);
    }
    [[nodiscard]] Append on(const Conflict& conflict) const {
        Append anew = stale_;
        anew.writes.front().expected = Expected::exactly(conflict.missed.front().head);
        return anew;
    }
    [[nodiscard]] DecideAgain anew() const {
        return [this](const Conflict& conflict) { return on(conflict); };
    }

    OwnSchema schema_;
    const std::unique_ptr<EventStore> store_ = open_store(schema_.url());
    const AppendResult first_ = store_->append(append_to("cart-1", Expected::any(), 2));
    Append stale_ = [] {
        Append stale = append_to("cart-1", Expected::no_stream());
        stale.metadata.command_id = "c-1";
        stale.missed_events = 10;
        return stale;
    }();
};

TEST_F(AppendInPlaceOfAnother, IsWrittenWithItsGroup) {
    std::size_t missed = 0;
    const auto results = append([&](const Conflict& conflict) {
        missed = conflict.missed.front().events.size();
        return on(conflict);
    });
    EXPECT_EQ(missed, 2U);
    EXPECT_EQ(results[0].kind, Kind::committed);
    EXPECT_EQ(results[1].kind, Kind::committed);
    EXPECT_EQ(version_of(*store_, "cart-1"), 3);
    store_->verify_chain();
}

TEST_F(AppendInPlaceOfAnother, LeavesTheConflictWhenItFails) {
    const auto results =
        append([](const Conflict&) -> std::optional<Append> { throw std::runtime_error("no"); });
    EXPECT_EQ(results[0].kind, Kind::committed);
    EXPECT_EQ(results[1].kind, Kind::conflict);
    const AppendResult alone = store_->append(stale_);
    EXPECT_EQ(alone.kind, Kind::conflict);
    EXPECT_EQ(alone.conflict.missed.size(), 1U);
}

TEST_F(AppendInPlaceOfAnother, IsTheSameCommandOnItsStreamsWithinTheLimits) {
    const std::vector<std::function<void(Append&)>> changes{
        [](Append& anew) { anew.metadata.command_id = "c-2"; },
        [](Append& anew) { anew.request.bytes[0] ^= 1; },
        [](Append& anew) { anew.writes.front().stream = StreamName::parse("cart-2"); },
        [](Append& anew) { anew.writes.front().events.front().payload.assign(2 << 20, 'x'); },
        [](Append& anew) { anew.writes.front().events.front().type = "test.Unknown"; },
    };
    for (std::size_t i = 0; i < changes.size(); ++i) {
        const auto results = append([&](const Conflict& conflict) {
            Append changed = on(conflict);
            changed.writes.front().expected = Expected::any();
            changes[i](changed);
            return changed;
        });
        EXPECT_EQ(results[0].kind, Kind::committed) << i;
        EXPECT_EQ(results[1].kind, Kind::conflict) << i;
    }
    EXPECT_EQ(version_of(*store_, "cart-1"), 2);
}

/// It was decided on what the first decision would have written.
TEST_F(AppendInPlaceOfAnother, DoesNotMakeTrueWhatFollowedTheFirst) {
    Append behind = append_to("cart-1", Expected::exactly(Version{3}));
    behind.follows = "c-1";
    const auto results = append(anew(), behind);
    EXPECT_EQ(results[1].kind, Kind::committed);
    EXPECT_EQ(results[2].kind, Kind::conflict);
    EXPECT_EQ(version_of(*store_, "cart-1"), 3);
}

TEST_F(AppendInPlaceOfAnother, TakesNothingFromOneThatWasToBeCommitted) {
    const auto results = append(anew(), append_to("cart-1", Expected::exactly(Version{2})));
    EXPECT_EQ(results[1].kind, Kind::conflict);
    EXPECT_EQ(results[2].kind, Kind::committed);
}

TEST_F(AppendInPlaceOfAnother, BringsAllThatWasMissedWhenItConflictsAgain) {
    std::vector<Append> group{append_to("cart-1"), stale_};
    group[1].decide_again = anew();
    const auto results = store_->append(group);
    EXPECT_EQ(results[0].kind, Kind::committed);
    ASSERT_EQ(results[1].kind, Kind::conflict);
    EXPECT_EQ(results[1].conflict.failed.front().expected, Expected::no_stream());
    ASSERT_EQ(results[1].conflict.missed.size(), 1U);
    EXPECT_EQ(results[1].conflict.missed.front().events.size(), 3U);
}

TEST_F(AppendInPlaceOfAnother, IsGivenUpWhenItTakesTooLong) {
    int asked = 0;
    const auto results = append([&](const Conflict& conflict) {
        ++asked;
        Environment::system().scheduler.sleep(std::chrono::seconds{3});  // of two
        return on(conflict);
    });
    EXPECT_EQ(asked, 1);
    EXPECT_EQ(results[0].kind, Kind::committed);
    EXPECT_EQ(results[1].kind, Kind::conflict);
}

TEST_F(AppendInPlaceOfAnother, IsAskedForNoMoreWhenOthersHaveWaitedForLong) {
    Append behind = append_to("cart-1", Expected::no_stream());
    behind.decide_again = [](const Conflict&) -> std::optional<Append> {
        ADD_FAILURE() << "was asked";
        return {};
    };
    const auto results = append(
        [&](const Conflict& conflict) {
            Environment::system().scheduler.sleep(std::chrono::milliseconds{300});
            return on(conflict);
        },
        behind);
    EXPECT_EQ(results[1].kind, Kind::committed);
    EXPECT_EQ(results[2].kind, Kind::conflict);
}

}  // namespace
}  // namespace recount::test
