#include <gtest/gtest.h>

#include <recount/core/error.hpp>

#include <functional>
#include <map>
#include <utility>

#include "world.hpp"

namespace recount::test::projections {
namespace {

/// A store's log as something else might carry it, where each event has a place: 1000 and its
/// position.
class Carried : public Log {
public:
    explicit Carried(Log& log) : log_(log) {}
    [[nodiscard]] const StoreIdentity& identity() const override { return log_.identity(); }
    Environment& environment() override { return log_.environment(); }
    std::vector<Incarnation> incarnations() override { return log_.incarnations(); }
    std::vector<LogHead> heads() override {
        auto heads = log_.heads();
        if (after_heads) std::exchange(after_heads, nullptr)();
        return heads;
    }
    LogPage read(Partition partition, std::int64_t after, const ReadLog& options) override {
        ReadLog more = options;
        more.max_events += too_many;
        LogPage page = log_.read(partition, after, more);
        page.place = 1000 + page.upto;
        return page;
    }
    bool wait(const Positions& seen, Duration at_most, std::stop_token stop) override {
        return log_.wait(seen, at_most, stop);
    }
    void remember(const Position& at, std::int64_t place) override { remembered[at] = place; }

    std::map<Position, std::int64_t> remembered;
    std::size_t too_many = 0;  // events in each page
    std::function<void()> after_heads;

private:
    Log& log_;
};

class AViewOfACarriedLog : public testing::TestWithParam<std::string> {
protected:
    World world{GetParam(), 2};
    Carried log{world.store()};
    ProjectorOptions options{.views = world.url(), .page_events = 16};

    AViewOfACarriedLog() { append_random(world, 21, 40); }

    std::unique_ptr<Database> database() {
        const std::string place = list_views(world.store())[0].place;
        return GetParam() == "sqlite" ? Database::open("sqlite:" + place, {.create = false})
                                      : Database::open(world.url() + "_views_carts_g1", {});
    }
    void change(std::string_view statement) {
        const auto views = database();
        const auto sql = views->begin(SqlMode::write);
        sql->exec(statement);
        sql->commit();
    }
    /// Where the log's partitions end.
    std::map<Position, std::int64_t> ends() {
        std::map<Position, std::int64_t> all;
        const auto heads = log.heads();
        for (std::size_t number = 0; number < heads.size(); ++number) {
            const Partition partition{static_cast<std::int32_t>(number)};
            all[{partition, heads[number].n}] = 1000 + heads[number].n;
        }
        return all;
    }
    void expect_told() { EXPECT_EQ(rows<Carts>(world.store()), pure_carts(world.store())); }
};
INSTANTIATE_TEST_SUITE_P(On, AViewOfACarriedLog, testing::ValuesIn(backends()),
                         [](const auto& tested) { return tested.param; });

TEST_P(AViewOfACarriedLog, RemembersWhereItWas) {
    if (!world.stored()) GTEST_SKIP() << "nothing is kept of it";
    { Projector<Carts>{log, options}.catch_up(); }
    EXPECT_TRUE(log.remembered.empty());
    { Projector<Carts>{log, options}.catch_up(); }
    EXPECT_EQ(log.remembered, ends());
    append_random(world, 22, 5);
    Projector<Carts>{world.store()}.catch_up();  // a store tells no places
    log.remembered.clear();
    { Projector<Carts>{log, options}.catch_up(); }
    for (const auto& [position, place] : log.remembered) {
        EXPECT_EQ(place, 1000 + position.n) << "of an event that it was not told of";
    }
    EXPECT_NE(log.remembered, ends());
    expect_told();
}

TEST_P(AViewOfACarriedLog, RemembersNoPlaceOfAnEventThatItDidNotTake) {
    if (!world.stored()) GTEST_SKIP() << "nothing is kept of it";
    log.too_many = 100;
    log.after_heads = [&] { append_random(world, 23, 20); };  // not in this go
    { Projector<Carts>{log, options}.catch_up(); }
    { Projector<Carts>{log, options}.catch_up(); }
    for (const auto& [position, place] : log.remembered) EXPECT_EQ(place, 1000 + position.n);
    EXPECT_TRUE(log.remembered.empty());
    expect_told();
}

TEST_P(AViewOfACarriedLog, LearnsWhereAnotherProjectorCame) {
    if (!world.stored()) GTEST_SKIP() << "nothing is kept of it";
    options.idle_wait = Duration::zero();
    Projector<Carts> projector{log, options};
    projector.catch_up();
    append_random(world, 26, 20);
    { Projector<Carts>{log, options}.catch_up(); }
    log.remembered.clear();
    projector.catch_up();
    EXPECT_EQ(log.remembered, ends());
    log.remembered.clear();
    projector.catch_up();
    EXPECT_TRUE(log.remembered.empty()) << "nobody moved";
}

TEST_P(AViewOfACarriedLog, MovesWhateverPlacesSay) {
    if (!world.stored()) GTEST_SKIP() << "nothing is kept of it";
    Projector<Carts> projector{log, options};
    projector.catch_up();
    change("update _checkpoint set place = 1 where partition = 0");
    change("update _checkpoint set place = null where partition = 1");
    append_random(world, 24, 10);
    EXPECT_EQ(projector.catch_up().fenced, 0);
    expect_told();
}

TEST_P(AViewOfACarriedLog, IsReadAndGoesOnWhenAnOlderRecountMadeIt) {
    if (!world.stored()) GTEST_SKIP() << "nothing is kept of it";
    { Projector<Carts>{log, options}.catch_up(); }
    if (GetParam() == "sqlite") {
        change("alter table _checkpoint rename to newer");
        change(
            "create table _checkpoint (partition bigint not null primary key, position bigint "
            "not null, hash bytea not null, incarnation bytea not null, recorded_at bigint not "
            "null)");
        change(
            "insert into _checkpoint select partition, position, hash, incarnation, recorded_at "
            "from newer");
        change("drop table newer");
    } else {
        change("alter table _checkpoint drop column place");
    }
    expect_told();  // a reader may be newer than what projects
    append_random(world, 25, 10);
    { Projector<Carts>{log, options}.catch_up(); }
    expect_told();
    EXPECT_TRUE(log.remembered.empty());
    { Projector<Carts>{log, options}.catch_up(); }
    EXPECT_EQ(log.remembered, ends());
}

}  // namespace
}  // namespace recount::test::projections
