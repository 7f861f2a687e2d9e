#include "eventstore/contract/store_contract.hpp"

#include <limits>

namespace recount::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr Version newest{std::numeric_limits<std::int64_t>::max()};

/// The versions recorded by then, whatever the size of a page.
std::vector<std::int64_t> forwards(EventStore& store, Timestamp until, std::size_t page = 1000) {
    std::vector<std::int64_t> seen;
    for (bool end = false; !end;) {
        const auto next = static_cast<std::int64_t>(seen.size()) + 1;
        const StreamPage read = store.read_stream(
            stream("cart-1"), {.from = Version{next}, .max_events = page, .until = until});
        for (const RecordedEvent& event : read.events) seen.push_back(event.at.version.value);
        end = read.end || read.events.empty();
    }
    return seen;
}

std::vector<std::int64_t> backwards(EventStore& store, Timestamp until, std::size_t page = 1000,
                                    Version from = newest) {
    std::vector<std::int64_t> seen;
    for (bool end = false; !end;) {
        const StreamPage read = store.read_stream(
            stream("cart-1"),
            {.from = from, .max_events = page, .direction = Direction::backwards, .until = until});
        for (const RecordedEvent& event : read.events) seen.push_back(event.at.version.value);
        end = read.end || read.events.empty();
        if (!read.events.empty()) from = Version{seen.back() - 1};
    }
    return seen;
}

TEST_P(TimeContract, ReadsAStreamUpToATime) {
    add("cart-1", 2);
    clock_.move(1h);
    add("cart-2", 1);
    add("cart-1", 3);
    clock_.move(1h);
    add("cart-1", 1);
    reopen();
    const auto events = read_all("cart-1");
    const Timestamp first = events[0].at.recorded_at;
    const Timestamp third = events[2].at.recorded_at;
    for (const std::size_t page : {std::size_t{1}, std::size_t{2}, std::size_t{1000}}) {
        EXPECT_THAT(forwards(store(), first - 1us, page), IsEmpty());
        EXPECT_THAT(forwards(store(), first, page), ElementsAre(1, 2));
        EXPECT_THAT(forwards(store(), third - 1us, page), ElementsAre(1, 2));
        EXPECT_THAT(forwards(store(), third, page), ElementsAre(1, 2, 3, 4, 5));
        EXPECT_THAT(forwards(store(), third + 24h, page), ElementsAre(1, 2, 3, 4, 5, 6));
        EXPECT_THAT(backwards(store(), first - 1us, page), IsEmpty());
        EXPECT_THAT(backwards(store(), first, page), ElementsAre(2, 1));
        EXPECT_THAT(backwards(store(), third, page), ElementsAre(5, 4, 3, 2, 1));
        EXPECT_THAT(backwards(store(), third + 24h, page), ElementsAre(6, 5, 4, 3, 2, 1));
        EXPECT_THAT(backwards(store(), third, page, Version{3}), ElementsAre(3, 2, 1));
    }
}

TEST_P(TimeContract, SaysThatItEndsThere) {
    add("cart-1", 2);
    const Timestamp then = read_all("cart-1").back().at.recorded_at;
    clock_.move(1h);
    add("cart-1", 2);
    const auto read = [&](Version from, Direction direction) {
        return store().read_stream(stream("cart-1"),
                                   {.from = from, .direction = direction, .until = then});
    };
    const StreamPage page = read(Version{1}, Direction::forwards);
    EXPECT_THAT(versions(page.events), ElementsAre(1, 2));
    EXPECT_TRUE(page.end);
    EXPECT_EQ(page.head, Version{4}) << "the stream's, as it is now";
    const StreamPage cut = store().read_stream(stream("cart-1"), {.max_events = 3, .until = then});
    EXPECT_THAT(versions(cut.events), ElementsAre(1, 2));
    EXPECT_TRUE(cut.end) << "the page had more, and that was later";
    EXPECT_THAT(read(Version{3}, Direction::forwards).events, IsEmpty());
    EXPECT_TRUE(read(Version{3}, Direction::forwards).end);
    EXPECT_EQ(read(newest, Direction::backwards).head, Version{4});
    EXPECT_TRUE(read(newest, Direction::backwards).end);
    const StreamPage none = store().read_stream(stream("cart-9"), {.until = then});
    EXPECT_THAT(none.events, IsEmpty());
    EXPECT_TRUE(none.end);
    EXPECT_EQ(none.head, Version{0});
    EXPECT_TRUE(store()
                    .read_stream(stream("cart-9"),
                                 {.from = newest, .direction = Direction::backwards, .until = then})
                    .end);
}

TEST_P(TimeContract, IsABeginningOfTheStreamAlthoughClocksStepBack) {
    for (const auto step : {1h, -3h, 1h, -1h, 4h, -2h, 1h}) {
        add("cart-1", 2);
        add("stock-1");
        clock_.move(step);
    }
    std::vector<Timestamp> times;
    for (const RecordedEvent& event : read_all("cart-1")) times.push_back(event.at.recorded_at);
    for (const Timestamp time : times) {
        for (const Timestamp until : {time - 1us, time, time + 1us}) {
            std::vector<std::int64_t> beginning;
            for (std::size_t i = 0; i < times.size() && times[i] <= until; ++i) {
                beginning.push_back(static_cast<std::int64_t>(i) + 1);
            }
            EXPECT_EQ(forwards(store(), until, 3), beginning);
            EXPECT_EQ(std::count_if(times.begin(), times.end(),
                                    [&](Timestamp each) { return each <= until; }),
                      static_cast<std::ptrdiff_t>(beginning.size()))
                << "nothing recorded by then is left out";
            std::reverse(beginning.begin(), beginning.end());
            EXPECT_EQ(backwards(store(), until, 3), beginning);
        }
    }
}

}  // namespace
}  // namespace recount::test
