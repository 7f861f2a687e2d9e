#include "eventstore/contract/store_contract.hpp"

#include <recount/core/error.hpp>

#include <rapidcheck.h>

#include <stdexcept>

namespace recount::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Partition only{0};

}  // namespace

void FilteredLog::add_event(const std::string& to, const std::string& type, std::size_t bytes) {
    const StreamWrite one{stream(to), Expected::any(), {event(std::string(bytes, 'x'), type)}};
    static_cast<void>(store().append(make_append("add-" + std::to_string(++ids_), {one})));
}

std::vector<RecordedEvent> FilteredLog::pages(const ReadLog& options, bool anew) {
    std::vector<RecordedEvent> events;
    pages_ = 0;
    for (LogPage page; !page.end;) {
        if (anew) reopen();
        const std::int64_t behind = page.upto;
        page = store().read(only, behind, options);
        if (!page.end && page.upto <= behind) throw std::runtime_error("nothing was looked at");
        ++pages_;
        EXPECT_LE(page.upto, behind + static_cast<std::int64_t>(options.max_scanned));
        EXPECT_LE(page.events.size(), options.max_events);
        for (RecordedEvent& event : page.events) {
            EXPECT_GT(event.at.position.n, behind);
            EXPECT_LE(event.at.position.n, page.upto);
            events.push_back(std::move(event));
        }
    }
    return events;
}

std::vector<std::int64_t> FilteredLog::taken(const ReadLog& options) {
    std::vector<std::int64_t> positions;
    for (const RecordedEvent& event : pages(options)) positions.push_back(event.at.position.n);
    return positions;
}

std::vector<std::int64_t> FilteredLog::taken(const LogFilter& filter) {
    return taken(ReadLog{.filter = filter});
}

namespace {

TEST_P(FilteredLog, GivesWhatIsOfACategoryAndOfAType) {
    for (const char* to : {"cart-1", "stock-cart-1", "carta-1", "cart-2", "car-t-1", "stock-1"}) {
        add_event(to, "shop.A");
        add_event(to, "shop.AB");
    }
    EXPECT_THAT(taken({.categories = {"cart"}}), ElementsAre(1, 2, 7, 8));
    EXPECT_THAT(taken({.types = {"shop.A"}}), ElementsAre(1, 3, 5, 7, 9, 11));
    EXPECT_THAT(taken({.categories = {"cart"}, .types = {"shop.AB"}}), ElementsAre(2, 8));
    EXPECT_THAT(taken({.categories = {"car", "carta"}}), ElementsAre(5, 6, 9, 10));
    EXPECT_THAT(taken({.categories = {"car", "cart"}, .types = {"shop.A", "shop.C"}}),
                ElementsAre(1, 7, 9));
    EXPECT_THAT(taken({.types = {"shop"}}), IsEmpty());
    EXPECT_THAT(taken({.types = {"A"}}), IsEmpty());
    EXPECT_THAT(taken(LogFilter{}), SizeIs(12));
    const auto events = pages({.filter = {.categories = {"stock"}, .types = {"shop.A"}}});
    EXPECT_THAT(versions(events), ElementsAre(1, 1));
    EXPECT_EQ(events.back().hash, store().read(only, 10).events.front().hash);
}

TEST_P(FilteredLog, GoesOnOverALongStretchWithoutAMatch) {
    add_event("cart-1");
    for (int i = 0; i < 5; ++i) add("stock-1", 500);
    add_event("cart-1");
    const LogPage first =
        store().read(only, 1, {.filter = {.categories = {"cart"}}, .max_scanned = 100});
    EXPECT_THAT(first.events, IsEmpty());
    EXPECT_EQ(first.upto, 101);
    EXPECT_FALSE(first.end);
    EXPECT_THAT(versions(pages({.filter = {.categories = {"cart"}}, .max_scanned = 100}, true)),
                ElementsAre(1, 2));
    EXPECT_EQ(pages_, 26);
    EXPECT_THAT(taken(ReadLog{.filter = {.categories = {"order"}}, .max_scanned = 417}), IsEmpty());
    EXPECT_EQ(pages_, 6) << "2502 positions, 417 a page: the end is seen with the last of them";
}

TEST_P(FilteredLog, EndsWhereTheLogEnds) {
    const ReadLog carts{.filter = {.categories = {"cart"}}};
    EXPECT_TRUE(store().read(only, 0, carts).end);
    EXPECT_EQ(store().read(only, 0, carts).upto, 0);
    add_event("cart-1");
    add_event("stock-1");
    const LogPage page = store().read(only, 0, carts);
    EXPECT_TRUE(page.end);
    EXPECT_EQ(page.upto, 2) << "what is behind the last match was looked through, too";
    EXPECT_TRUE(store().read(only, page.upto, carts).end);
    Positions seen;
    seen.raise({only, page.upto});
    EXPECT_FALSE(store().wait(seen, Duration{0}));
    add_event("cart-1");
    EXPECT_THAT(versions(store().read(only, page.upto, carts).events), ElementsAre(2));
    EXPECT_THROW(store().read(only, 4, carts), Divergence);
    EXPECT_EQ(store().read(only, 1).upto, 3) << "pages without a filter say it, too";
    EXPECT_EQ(store().read(only, 0, {.max_events = 2}).upto, 2);
    EXPECT_EQ(store().read(only, 3).upto, 3);
}

TEST_P(FilteredLog, KeepsPagesSmall) {
    for (int i = 0; i < 6; ++i) {
        add_event("cart-1", "test.Happened", 10'000);
        add_event("stock-1", "test.Happened", 50'000);
    }
    const LogFilter carts{.categories = {"cart"}};
    EXPECT_THAT(store().read(only, 0, {.max_bytes = 25'000, .filter = carts}).events, SizeIs(2));
    EXPECT_EQ(store().read(only, 0, {.max_bytes = 25'000, .filter = carts}).upto, 4);
    EXPECT_THAT(store().read(only, 0, {.max_bytes = 0, .filter = carts}).events, SizeIs(1));
    EXPECT_THAT(store().read(only, 0, {.max_events = 0, .filter = carts}).events, SizeIs(1));
    EXPECT_EQ(store().read(only, 0, {.filter = carts, .max_scanned = 0}).upto, 1);
    for (const ReadLog& limits : {ReadLog{.max_events = 1}, ReadLog{.max_bytes = 1},
                                  ReadLog{.max_bytes = 25'000}, ReadLog{.max_scanned = 3}}) {
        ReadLog options = limits;
        options.filter = carts;
        EXPECT_THAT(taken(options), ElementsAre(1, 3, 5, 7, 9, 11));
    }
}

/// Envelopes hold what is looked for where it does not count: a name one byte further on, a type
/// and its length in a header.
TEST_P(FilteredLog, IsNotMisledByWhatEnvelopesHold) {
    const std::string type = "test.ATypeOfThirtyFourCharactersXX";
    ASSERT_EQ(type.size(), std::size_t{'"'});
    for (int i = 0; i < 5; ++i) {
        Append append = make_append("misleading-" + std::to_string(i), {write("cart-1")});
        append.metadata.headers = {{"type", "\"\"" + type}};
        append.metadata.correlation_id = "art-1";
        append.request = request_hash(append);
        static_cast<void>(store().append(append));
    }
    add_event("art-1", type);
    for (const std::size_t most : {std::size_t{1}, std::size_t{2}, std::size_t{100}}) {
        EXPECT_THAT(taken(ReadLog{.max_events = most, .filter = {.categories = {"art"}}}),
                    ElementsAre(6));
        EXPECT_THAT(taken(ReadLog{.max_events = most, .filter = {.types = {type}}}),
                    ElementsAre(6));
    }
}

TEST_P(FilteredLog, FindsStreamsAndTypesOfEveryLength) {
    for (const std::size_t length : {1U, 2U, 120U, 127U, 128U, 129U, 250U}) {
        const std::string name(length, 'a');
        add_event("cart-" + name, name);
        add_event(name + "-1", "b" + name);
    }
    for (const std::size_t length : {1U, 2U, 120U, 127U, 128U, 129U, 250U}) {
        const std::string name(length, 'a');
        EXPECT_THAT(taken({.types = {name}}), SizeIs(1)) << length;
        EXPECT_THAT(taken({.categories = {name}}), SizeIs(1)) << length;
    }
    EXPECT_THAT(taken({.categories = {"cart"}}), SizeIs(7));
}

TEST_P(FilteredLog, GivesErasedEvents) {
    add_event("cart-1");
    add_event("stock-1");
    add_event("cart-1");
    store().erase(stream("cart-1"), {1}, {1});
    store().erase(stream("stock-1"), {1}, {1});
    const auto events = pages({.filter = {.categories = {"cart"}}});
    ASSERT_THAT(events, SizeIs(2));
    EXPECT_TRUE(events[0].erased());
    EXPECT_FALSE(events[1].erased());
}

TEST_P(FilteredLog, RefusesWhatIsNoCategoryAndNoType) {
    add_event("cart-1");
    EXPECT_THROW(taken({.categories = {"cart", "cart-1"}}), InvalidArgument);
    EXPECT_THROW(taken({.categories = {""}}), InvalidArgument);
    EXPECT_THROW(taken({.types = {""}}), InvalidArgument);
    EXPECT_THROW(store().read(Partition{1}, 0, {.filter = {.categories = {"cart"}}}),
                 InvalidArgument);
}

const std::vector<std::string> names{"a", "b", "ab"};

std::vector<std::string> any_names() {
    std::vector<std::string> some;
    for (const std::string& name : names) {
        if (*rc::gen::inRange(0, 3) == 0) some.push_back(name);
    }
    return some;
}

TEST_P(FilteredLog, GivesWhatAReaderOfAllWouldKeep) {
    const bool held = rc::check("any log, any filter, any limits", [this] {
        reopen_with({.partitions = 1});
        std::vector<Append> group;
        for (int events = *rc::gen::inRange(0, 60); events > 0; --events) {
            const auto any_name = [] { return names[*rc::gen::inRange<std::size_t>(0, 3)]; };
            const std::string payload(*rc::gen::inRange<std::size_t>(1, 300), 'x');
            const StreamWrite one{stream(any_name() + "-" + any_name()),
                                  Expected::any(),
                                  {event(payload, any_name())}};
            group.push_back(make_append("add-" + std::to_string(events), {one}));
        }
        store().append(group);
        const auto all = read_partition(only);
        for (int reads = 0; reads < 5; ++reads) {
            ReadLog options;
            options.max_events = *rc::gen::inRange<std::size_t>(1, 10);
            options.max_bytes = *rc::gen::inRange<std::size_t>(1, 2000);
            options.max_scanned = *rc::gen::inRange<std::size_t>(1, 20);
            options.filter = {any_names(), any_names()};
            if (options.filter.everything()) options.max_scanned = options.max_events;
            std::vector<std::int64_t> kept;
            for (const RecordedEvent& event : all) {
                if (options.filter.takes(event.at)) kept.push_back(event.at.position.n);
            }
            RC_ASSERT(taken(options) == kept);
        }
    });
    EXPECT_TRUE(held);
}

}  // namespace
}  // namespace recount::test
