#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <recount/core/error.hpp>
#include <recount/saga/command_id.hpp>
#include <recount/testing.hpp>

#include <set>

#include "watched_store.hpp"
#include "world_with_alarm.hpp"

namespace recount::saga_test {
namespace {

using saga::command_id;
using saga::Way;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

saga::v1::SagaBegun begun(const std::string& name, const std::string& id, std::uint32_t rule,
                          Timestamp at = parse_timestamp("2026-01-02T03:04:05.678901Z")) {
    saga::v1::SagaBegun begun;
    begun.set_name(name);
    begun.set_id(id);
    begun.set_started_at_us(at.time_since_epoch().count());
    begun.set_command_ids(rule);
    return begun;
}

class CommandIdRule : public testing::TestWithParam<std::uint32_t> {};

TEST_P(CommandIdRule, TellsSagasStepsWaysAndAttemptsApart) {
    const auto checkout = begun("checkout", "o-1", GetParam());
    EXPECT_EQ(command_id(checkout, "reserve/0", Way::forth, 1),
              command_id(checkout, "reserve/0", Way::forth, 1));
    const std::set<std::string> ids{
        command_id(checkout, "reserve/0", Way::forth, 1),
        command_id(checkout, "reserve/0", Way::back, 1),
        command_id(checkout, "reserve/0", Way::forth, 2),
        command_id(checkout, "reserve/1", Way::forth, 1),
        command_id(begun("checkout", "o-2", GetParam()), "reserve/0", Way::forth, 1),
        command_id(begun("return", "o-1", GetParam()), "reserve/0", Way::forth, 1),
        command_id(begun("checkout", "o-1reserve", GetParam()), "/0", Way::forth, 1),
        saga::begin_id("checkout", "o-1")};
    EXPECT_EQ(ids.size(), 8U);
}
INSTANTIATE_TEST_SUITE_P(, CommandIdRule, testing::Values(1, 2));

// Written down: running sagas would send twice if a rule changed.
TEST(CommandId, IsTheSameForEver) {
    const auto id = [](std::uint32_t rule) {
        return command_id(begun("checkout", "o-1", rule), "reserve/0", Way::forth, 1);
    };
    EXPECT_EQ(id(1), "bbe4b31a-446e-8348-8f17-089196b9b66f");
    EXPECT_EQ(id(2), "006475ef-6574-8f35-95f6-a5021b0c33ea");
    EXPECT_THROW(id(3), InvalidArgument);
}

TEST(CommandId, OfASagaIsANeighbourOfItsOtherIdsAndOfThoseBegunWithIt) {
    const Timestamp at = parse_timestamp("2026-01-02T03:04:05Z");
    std::string last;
    for (int i = 0; i < 100; ++i) {
        // 4,096 µs is where the time goes on behind the version's digit.
        const auto begun_then = begun("checkout", std::to_string(i), 2, at + i * 300us);
        const std::string first = command_id(begun_then, "reserve/0", Way::forth, 1);
        const std::string second = command_id(begun_then, "charge", Way::back, 2);
        EXPECT_GT(first, last);
        EXPECT_GT(second, last);
        EXPECT_EQ(first.substr(0, 18), second.substr(0, 18));
        EXPECT_EQ(first.at(14), '8');
        EXPECT_THAT("89ab", HasSubstr(std::string{first.at(19)}));
        EXPECT_EQ(born_at(*parse_uuid(first)), std::nullopt) << "it never expires by its time";
        last = std::max(first, second);
    }
}

/// Where sagas begin by a rule of the test's; and no command is ever sent.
class StoreOfAnotherProgram final : public WatchedStore {
public:
    StoreOfAnotherProgram(EventStore& store, std::uint32_t rule)
        : WatchedStore(store, [](int, When) {}), rule_(rule) {}

    std::vector<AppendResult> append(std::span<const Append> group) override {
        std::vector<Append> changed{group.begin(), group.end()};
        for (Append& append : changed)
            for (StreamWrite& write : append.writes) change(write);
        if (dead_) throw Crash{};
        return WatchedStore::append(changed);
    }
    using WatchedStore::append;

private:
    void change(StreamWrite& write) {
        dead_ = dead_ || write.stream.category() == Account::category;
        for (NewEvent& event : write.events) {
            saga::v1::SagaBegun begun;
            if (event.type != type_name<saga::v1::SagaBegun>()) continue;
            ASSERT_TRUE(begun.ParseFromString(event.payload));
            begun.set_command_ids(rule_);
            event = new_event(begun);
        }
    }

    std::uint32_t rule_;
    bool dead_ = false;
};

/// The newer program, to which that rule is known.
class StoreOfTheNewerProgram final : public WatchedStore {
public:
    StoreOfTheNewerProgram(EventStore& store, std::uint32_t rule)
        : WatchedStore(store, [](int, When) {}), rule_(rule) {}

    StreamPage read_stream(const StreamName& stream, const ReadStream& options) override {
        StreamPage page = WatchedStore::read_stream(stream, options);
        for (RecordedEvent& event : page.events) {
            saga::v1::SagaBegun begun;
            if (event.at.type != type_name<saga::v1::SagaBegun>()) continue;
            EXPECT_TRUE(begun.ParseFromString(*event.payload));
            if (begun.command_ids() == rule_) begun.set_command_ids(saga::rule_of_new_sagas);
            event.payload = begun.SerializeAsString();
        }
        return page;
    }

private:
    std::uint32_t rule_;
};

/// A saga that a program of another version began, and left before its first command was sent.
class ASagaOfAnotherRule : public WorldWithAlarm {
protected:
    void begin(std::uint32_t rule, const Ordered& order) {
        StoreOfAnotherProgram store{*store_, rule};
        Service service{store};
        service.place(order);
        EXPECT_THROW(service.sagas.catch_up(), Crash);
        EXPECT_EQ(service.sagas.status("fulfil", order.id())->steps.at(0).state, "sent");
    }

    std::set<std::string> ids_of_effects() {
        std::set<std::string> ids;
        for (const RecordedEvent& event : all_events(*store_))
            if (event.at.type == type_name<Done>()) ids.insert(to_string(event.at.event_id));
        return ids;
    }
};

TEST_F(ASagaOfAnotherRule, GoesOnByTheRuleItBeganWith) {
    const std::vector orders{order("o-1", {part("a")}), order("o-2", {part("a")})};
    std::set<std::string> ids;
    for (const std::uint32_t rule : {1U, 2U}) {
        const Ordered& order = orders.at(rule - 1);
        begin(rule, order);
        const std::string id =
            command_id(begun("fulfil", order.id(), rule, world_.now()), "a", Way::forth, 1);
        ids.insert(to_string(event_id(id, 0)));
        world_.advance(1s);
    }
    Service service{*store_};
    EXPECT_EQ(service.sagas.catch_up().completed, 2);
    EXPECT_THAT(audit(*store_, orders), IsEmpty());
    EXPECT_EQ(ids_of_effects(), ids);
}

TEST_F(ASagaOfAnotherRule, IsLeftToTheProgramThatKnowsIt) {
    begin(3, order("o-1", {part("a")}));
    const StreamName stream{"saga", "fulfil.o-1"};
    const Version as_left = store_->read_stream(stream, {}).head;
    Service service{*store_};
    service.place(order("o-2", {part("a")}));
    const SagaProgress progress = service.sagas.catch_up();
    EXPECT_EQ(progress.attention, 1);
    EXPECT_EQ(progress.completed, 1) << "the others go on";
    EXPECT_EQ(alarm(), 1);
    ASSERT_EQ(service.sagas.list().size(), 1U);
    EXPECT_THAT(service.sagas.list()[0].attention, HasSubstr("a newer program began it"));
    EXPECT_EQ(ids_of_effects().size(), 1U) << "of o-2";
    EXPECT_EQ(store_->read_stream(stream, {}).head, as_left) << "nothing is recorded of it";
}

TEST_F(ASagaOfAnotherRule, GoesOnWithThatProgramHoweverManyThereAre) {
    constexpr int count = 1001;
    std::vector<Ordered> orders;
    {
        StoreOfAnotherProgram newer{*store_, 3};
        Service service{newer, {.sagas_at_once = count}};
        for (int i = 0; i < count; ++i) {
            orders.push_back(order("o-" + std::to_string(i), {part("a")}));
            service.place(orders.back());
        }
        EXPECT_THROW(service.sagas.catch_up(), Crash);
    }
    for (int engine = 0; engine < 2; ++engine) {
        Service service{*store_};
        EXPECT_EQ(service.sagas.catch_up().completed, 0);
        EXPECT_EQ(service.sagas.list().size(), static_cast<std::size_t>(count));
    }
    StoreOfTheNewerProgram newer{*store_, 3};
    Service service{newer};
    EXPECT_EQ(service.sagas.catch_up().completed, count);
    EXPECT_EQ(alarm(), 0);
    EXPECT_THAT(audit(*store_, orders), IsEmpty());
}

}  // namespace
}  // namespace recount::saga_test
