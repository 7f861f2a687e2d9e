#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <recount/testing.hpp>

#include <algorithm>

#include "cursor.hpp"
#include "orders.hpp"
#include "recount/saga.pb.h"
#include "world_with_alarm.hpp"

namespace recount::saga_test {
namespace {

using testing::IsEmpty;
using namespace std::chrono_literals;

/// So many sagas that their ids do not fit into one event.
class ManySagas : public WorldWithAlarm {
protected:
    static std::string id(int number) {
        const std::string digits = std::to_string(number);
        return digits + "-" + std::string(240 - digits.size(), 'x');
    }
    /// Of how many events the cursor is; the only one does not say so.
    [[nodiscard]] std::uint32_t pages() {
        const auto stream = store_->read_stream(StreamName{"sagacursor", "fulfil"});
        return parse_as<saga::v1::CursorMoved>(stream.events.back()).pages();
    }
};

TEST_F(ManySagas, ThatNeedAPersonAreAllKnownToTheNextEngine) {
    constexpr int count = 1001;
    {
        Service service{*store_};
        for (int i = 0; i < count; ++i) service.place(order(std::to_string(i), {}));
        EXPECT_EQ(service.sagas.catch_up().attention, count);
    }
    for (int engine = 0; engine < 2; ++engine) {
        forget_alarm();
        Service service{*store_};
        EXPECT_EQ(service.sagas.catch_up().attention, 0) << "old ones";
        EXPECT_EQ(alarm(), count);
        EXPECT_EQ(service.sagas.list().size(), static_cast<std::size_t>(count));
        service.place(order("next " + std::to_string(engine), {part("a")}));  // it moves the cursor
        service.sagas.catch_up();
    }
}

/// As where a broker takes smaller messages.
TEST_F(ManySagas, FitIntoAStoreOfSmallerLimits) {
    StoreOptions options{.partitions = 1, .environment = &world_.environment()};
    options.limits.event_bytes = 16 << 10;
    options.limits.append_bytes = 48 << 10;
    store_ = open_store("memory:", options);
    constexpr int count = 600;
    for (int engine = 0; engine < 2; ++engine) {
        forget_alarm();
        Service service{*store_};
        for (int i = 0; i < count && engine == 0; ++i) service.place(order(id(i), {}));
        EXPECT_EQ(service.sagas.catch_up().attention, engine == 0 ? count : 0);
        EXPECT_EQ(alarm(), count);
        std::vector<Part> parts;
        for (int i = 0; i < 20; ++i) parts.push_back(part(id(i)));
        service.place(order("long " + std::to_string(engine), parts));
        EXPECT_EQ(service.sagas.catch_up().completed, 1) << "its plan is several pages";
    }
}

TEST_F(ManySagas, MayBeOpenAtOnce) {
    constexpr int count = 4400;
    const SagaEngineOptions options{.sagas_at_once = 2000, .open_sagas = 6000};
    {
        Service service{*store_, options};
        for (int i = 0; i < count; ++i) {
            Weather::today().contended[id(i) + "/a"] = 1;
            service.place(order(id(i), {part("a")}));
        }
        EXPECT_EQ(service.sagas.catch_up().open, count);
    }
    Weather::today() = {};
    EXPECT_EQ(pages(), 5U);
    Service service{*store_, options};
    const SagaProgress progress = service.sagas.catch_up();
    EXPECT_EQ(progress.begun, 0);
    EXPECT_EQ(progress.completed, count);
    EXPECT_EQ(progress.open, 0);
    service.place(order("last", {part("a")}));
    service.sagas.catch_up();
    EXPECT_EQ(pages(), 0U) << "one event is enough again";
}

/// What a cursor claims, as the next engine reads it.
class ALongCursor : public ManySagas {
protected:
    ALongCursor() { static_cast<void>(saga::open_cursor(*store_, "fulfil", true)); }

    static saga::Cursor cursor(std::int64_t n, int open, int attention) {
        saga::Cursor cursor;
        cursor.positions = Positions{1};
        cursor.positions.set({Partition{0}, n});
        for (int i = 0; i < open; ++i) cursor.open.push_back(id(i));
        for (int i = 0; i < attention; ++i) cursor.attention.emplace(id(100'000 + i), "");
        return cursor;
    }
    std::vector<Append> appends(const saga::Cursor& cursor) {
        return saga::appends_of(*store_, "fulfil", cursor);
    }
    void append(const Append& append) {
        EXPECT_EQ(store_->append(append).kind, AppendResult::Kind::committed);
    }
    void expect_read(saga::Cursor wanted) {
        saga::Cursor read = saga::open_cursor(*store_, "fulfil", true);
        std::sort(read.open.begin(), read.open.end());
        std::sort(wanted.open.begin(), wanted.open.end());
        EXPECT_EQ(read.positions.values(), wanted.positions.values());
        EXPECT_TRUE(read.open == wanted.open);
        EXPECT_TRUE(read.attention == wanted.attention);
    }

    const saga::Cursor short_ = cursor(1, 2, 3);
    const saga::Cursor long_ = cursor(2, 15'000, 15'000);
    const saga::Cursor other_ = cursor(3, 14'000, 16'000);
};

TEST_F(ALongCursor, CountsOnceItIsThereWhole) {
    for (const Append& one : appends(short_)) append(one);
    expect_read(short_);
    const std::vector<Append> pages = appends(long_);
    ASSERT_EQ(pages.size(), 3U) << "more than an append may hold";
    for (const Append& one : pages) {
        expect_read(short_);
        append(one);
    }
    expect_read(long_);
    for (const Append& one : appends(short_)) append(one);
    expect_read(short_);
}

TEST_F(ALongCursor, IsKeptApartFromThatOfAnotherEngine) {
    const std::vector<Append> pages = appends(long_);
    const std::vector<Append> others = appends(other_);
    ASSERT_EQ(pages.size(), others.size());
    for (std::size_t i = 0; i < pages.size(); ++i) {
        append(pages[i]);
        append(others[i]);
    }
    expect_read(other_);
}

TEST_F(ALongCursor, LetsTheAlarmOfAnyOfItsSagasGo) {
    for (const Append& one : appends(long_)) append(one);
    EXPECT_TRUE(saga::let_alarm_go(*store_, "fulfil", id(100'000), "dealt with"));
    EXPECT_TRUE(saga::let_alarm_go(*store_, "fulfil", id(114'999), "dealt with"));
    EXPECT_FALSE(saga::let_alarm_go(*store_, "fulfil", id(0), "it is open"));
}

}  // namespace
}  // namespace recount::saga_test
