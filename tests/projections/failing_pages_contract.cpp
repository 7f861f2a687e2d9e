#include <gtest/gtest.h>

#include "world.hpp"

namespace recount::test::projections {
namespace {

/// Whether an event fails depends on what earlier ones, of any stream, have made of its rows.
struct Moody {
    static constexpr std::string_view name = "moody";
    static constexpr int version = 1;
    using Row = SkuRow;
    using Event = recount::Events<ItemAdded>;

    static std::vector<std::string> keys_of(const ItemAdded& event, const Recorded&) {
        if (event.price() == 0) throw std::runtime_error("no key");
        return {event.sku(), "price " + std::to_string(event.price())};
    }
    static void evolve(SkuRow& row, const ItemAdded& event, const Recorded&) {
        row.set_removed(row.removed() + 1);
        if (row.removed() % 5 == 3) throw std::runtime_error("not now");
        row.set_added(row.added() + event.quantity());
    }
};

/// The same in SQL: the statement fails.
struct MoodySql {
    static constexpr std::string_view name = "moody_sql";
    static constexpr int version = 1;
    using Event = recount::Events<ItemAdded>;

    static void create(Sql& sql) {
        sql.exec(
            "create table moody_sql (sku text primary key, times bigint not null check "
            "(times % 4 <> 3))");
    }
    static void on(const ItemAdded& event, const Recorded&, Sql& sql) {
        sql.exec(
            "insert into moody_sql (sku, times) values ($1, $2) on conflict (sku) do update set "
            "times = moody_sql.times + excluded.times",
            event.sku(), event.quantity());
    }
};

/// Most events of a page fail.
struct Broken {
    static constexpr std::string_view name = "broken";
    static constexpr int version = 1;
    using Row = SkuRow;
    using Event = recount::Events<ItemAdded>;
    static inline int calls = 0;

    static void evolve(SkuRow& row, const ItemAdded& event, const Recorded&) {
        ++calls;
        if (event.sku() == "bad") throw std::runtime_error("a mistake of the program");
        row.set_added(1);
    }
};

class APageOfFailures : public testing::TestWithParam<std::string> {
protected:
    World world{GetParam(), 1};

    void append_moods() {
        std::uint32_t number = 2;
        const auto random = [&] { return (number = number * 1664525 + 1013904223) >> 8; };
        for (int count = 0; count < 600; ++count) {
            world.append("cart-" + std::to_string(random() % 100),
                         added("sku " + std::to_string(random() % 100),
                               static_cast<std::int64_t>(1 + random() % 3),
                               static_cast<std::int64_t>(random() % 30)));
        }
    }
    /// What it shows and what it set aside, when it is built by pages of so many events.
    template <class V>
    std::vector<SqlResult> built_by(std::size_t page) {
        const std::string name{V::name};
        if (page > 1) request_rebuild(world.store(), name);
        Projector<V>{world.store(), {.page_events = page, .max_parked = 10'000}}.catch_up();
        View<V> view{world.store()};
        return {view.query(eventual(), "select * from " + name + " order by 1").result,
                view.query(eventual(), "select position from _parked order by 1").result};
    }
    template <class V>
    void expect_the_same_for_any_page() {
        append_moods();
        const auto one_by_one = built_by<V>(1);
        EXPECT_GT(one_by_one[0].size(), 20U);
        EXPECT_GT(one_by_one[1].size(), 20U);
        for (const std::size_t page : {7U, 64U, 1000U}) {
            const auto found = built_by<V>(page);
            EXPECT_EQ(found[0].rows, one_by_one[0].rows) << page;
            EXPECT_EQ(found[1].rows, one_by_one[1].rows) << page;
        }
    }
};
INSTANTIATE_TEST_SUITE_P(On, APageOfFailures, testing::ValuesIn(backends()),
                         [](const auto& tested) { return tested.param; });

TEST_P(APageOfFailures, SetsAsideWhatOneByOneWouldBe) { expect_the_same_for_any_page<Moody>(); }

TEST_P(APageOfFailures, SetsAsideWhatOneByOneWouldBeInSql) {
    expect_the_same_for_any_page<MoodySql>();
}

TEST_P(APageOfFailures, IsNotBegunAnewForEachOfThem) {
    constexpr int streams = 300;
    for (int count = 0; count < streams; ++count) {
        world.append("cart-" + std::to_string(count), added(count % 10 == 0 ? "good" : "bad"));
    }
    Broken::calls = 0;
    EXPECT_EQ(Projector<Broken>{world.store()}.catch_up().parked, streams * 9 / 10);
    EXPECT_LE(Broken::calls, 3 * streams);
}

}  // namespace
}  // namespace recount::test::projections
