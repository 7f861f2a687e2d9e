#include <gtest/gtest.h>

#include <recount/core/error.hpp>
#include <recount/core/ids.hpp>

#include <utility>

#include "interrupted_log.hpp"
#include "world.hpp"

namespace recount::test::projections {
namespace {

/// What the view does with a bad sku can be mended while the program runs.
struct Mendable : Carts {
    static constexpr std::string_view name = "mendable";
    static inline bool mended = false;
    static inline bool unreachable = false;

    static void evolve(CartRow& row, const ItemAdded& event, const Recorded& at) {
        if (unreachable) throw Unavailable("no connection; wait");
        if (event.sku() == "bad" && !mended) throw std::runtime_error("bad sku");
        Carts::evolve(row, event, at);
    }
    static void evolve(CartRow& row, const ItemRemoved& event, const Recorded& at) {
        Carts::evolve(row, event, at);
    }
    static recount::Row evolve(CartRow&, const CheckedOut&, const Recorded&) {
        return recount::Row::remove;
    }
};

/// Fails in the database, not in C++.
struct Strict {
    static constexpr std::string_view name = "strict";
    static constexpr int version = 1;
    using Event = recount::Events<ItemAdded>;
    static void create(Sql& sql) {
        sql.exec("create table strict (sku text primary key, quantity bigint not null)");
    }
    static void on(const ItemAdded& event, const Recorded&, Sql& sql) {
        sql.exec("insert into strict (sku, quantity) values ($1, $2)", event.sku(),
                 event.quantity());
    }
};

/// Catches what a statement throws, and goes on.
struct Careless : Strict {
    static constexpr std::string_view name = "careless";
    static void on(const ItemAdded& event, const Recorded& at, Sql& sql) {
        try {
            Strict::on(event, at, sql);
        } catch (const Error&) {
            if (event.price() == 1) sql.exec("update strict set quantity = quantity + 1");
            if (event.price() == 2) throw std::runtime_error("it is there already");
        }
    }
};

/// Rows and keys that no database keeps, by sku, or a message that is long and not ASCII.
struct Unwritable {
    static constexpr std::string_view name = "unwritable";
    static constexpr int version = 1;
    using Row = HasTimes;
    using Event = recount::Events<ItemAdded>;
    static inline std::string error;

    static std::string key_of(const ItemAdded& event, const Recorded& at) {
        return event.sku() == "key" ? "caf\xe9" : std::string{at.stream.id()};
    }
    static void evolve(HasTimes& row, const ItemAdded& event, const Recorded&) {
        if (event.sku() == "text") row.set_name("caf\xe9");
        if (event.sku() == "value") row.mutable_anything();  // of no kind
        if (event.sku() == "time") row.mutable_at()->set_seconds(std::int64_t{1} << 60);
        if (event.sku() == "list") row.add_seen()->set_nanos(-1);
        if (event.sku() == "error") throw std::runtime_error(error);
        row.set_count(row.count() + 1);
    }
};

class AFailingEvent : public testing::TestWithParam<std::string> {
protected:
    AFailingEvent() { Mendable::mended = Mendable::unreachable = false; }
    World world{GetParam()};
    std::int64_t items(const std::string& key) {
        const auto read = View<Mendable>{world.store()}.get(key);
        return read ? read->items() : -1;
    }
};
INSTANTIATE_TEST_SUITE_P(On, AFailingEvent, testing::ValuesIn(backends()),
                         [](const auto& tested) { return tested.param; });

TEST_P(AFailingEvent, ParksItsStreamAndNothingElse) {
    world.append("cart-1", added("good"), added("bad"), added("good"));
    world.append("cart-2", added("good"));
    Projector<Mendable> projector{world.store()};
    const Applied applied = projector.catch_up();
    EXPECT_EQ(applied.parked, 2);
    EXPECT_EQ(items("1"), 1);
    EXPECT_EQ(items("2"), 1);

    world.append("cart-1", added("good"));  // queues behind, in another transaction
    world.append("cart-2", added("good"));
    EXPECT_EQ(projector.catch_up().parked, 1);
    EXPECT_EQ(items("1"), 1);
    EXPECT_EQ(items("2"), 2);
    const auto status = projector.status();
    EXPECT_EQ(status[0].parked_streams, 1);
    EXPECT_EQ(status[0].parked_events, 3);
    EXPECT_EQ(list_views(world.store())[0].parked_events, 3);
}

TEST_P(AFailingEvent, IsRetriedInOrderOnceTheCauseIsGone) {
    world.append("cart-1", added("bad", 1), added("good", 2), added("bad", 4));
    world.append("cart-3", added("bad", 8));
    Projector<Mendable> projector{world.store()};
    projector.catch_up();
    EXPECT_EQ(projector.retry_parked(), 0);
    EXPECT_EQ(items("1"), -1);
    Mendable::mended = true;
    EXPECT_EQ(projector.retry_parked(), 4);
    EXPECT_EQ(items("1"), 7);
    EXPECT_EQ(items("3"), 8);
    EXPECT_EQ(projector.status()[0].parked_events, 0);
    EXPECT_EQ(View<Mendable>{world.store()}.get("1")->last_sku(), "bad");
    EXPECT_EQ(rows<Mendable>(world.store()), pure_carts(world.store()));
}

TEST_P(AFailingEvent, ThatCannotBeReadNowKeepsNoOtherStreamWaiting) {
    world.append("cart-1", added("bad", 1));
    world.append("cart-2", added("bad", 2));
    Interrupted log{world.store()};
    Projector<Mendable> projector{log, {.views = world.url()}};
    projector.catch_up();
    Mendable::mended = true;
    bool away = true;
    log.before_read = [&] {
        if (std::exchange(away, false)) throw Unavailable("away; try again");
    };
    EXPECT_THROW(projector.retry_parked(), Unavailable);
    EXPECT_EQ(projector.status()[0].parked_events, 1);
    EXPECT_EQ(projector.retry_parked(), 1);
    EXPECT_EQ(items("1"), 1);
    EXPECT_EQ(items("2"), 2);
}

TEST_P(AFailingEvent, OfAStatementParksToo) {
    world.append("cart-1", added("a"));
    world.append("cart-2", added("a"));
    world.append("cart-3", added("b"));
    Projector<Strict> projector{world.store()};
    EXPECT_EQ(projector.catch_up().parked, 1);
    View<Strict> view{world.store()};
    EXPECT_EQ(view.query(eventual(), "select sku from strict order by sku").result.size(), 2U);
}

TEST_P(AFailingEvent, ThatCanBeRetriedNeverParks) {
    world.append("cart-1", added("good"));
    Projector<Mendable> projector{world.store()};
    Mendable::unreachable = true;
    EXPECT_THROW(projector.catch_up(), Unavailable);
    EXPECT_EQ(projector.status()[0].parked_events, 0);
    EXPECT_EQ(projector.status()[0].state, ViewStatus::State::running);
    Mendable::unreachable = false;
    EXPECT_EQ(projector.catch_up().events, 1);
    EXPECT_EQ(items("1"), 1);
}

TEST_P(AFailingEvent, ThatMakesAnUnwritableRowIsFoundAmongOthers) {
    world.append("cart-1", added("good"), added(std::string{"N\0L", 3}), added("good"));
    world.append("cart-2", added("good"));
    Projector<Mendable> projector{world.store()};
    EXPECT_EQ(projector.catch_up().parked, 2);
    EXPECT_EQ(items("1"), 1);
    EXPECT_EQ(items("2"), 1);
}

TEST_P(AFailingEvent, OfARowOrKeyThatNoDatabaseKeepsParksItsStreamAlone) {
    const std::vector<std::string> bad{"text", "value", "time", "list", "key"};
    for (const std::string& sku : bad) {
        world.append("cart-" + sku, added("good"), added(sku), added("good"));
    }
    world.append("cart-2", added("good"));
    Projector<Unwritable> projector{world.store()};
    EXPECT_EQ(projector.catch_up().parked, 2 * static_cast<std::int64_t>(bad.size()));
    EXPECT_EQ(projector.status()[0].state, ViewStatus::State::running);
    View<Unwritable> view{world.store()};
    for (const std::string& sku : bad) EXPECT_EQ(view.get(sku)->count(), 1) << sku;
    EXPECT_EQ(view.get("2")->count(), 1);
    EXPECT_EQ(projector.retry_parked(), 0);
}

TEST_P(AFailingEvent, IsParkedWhateverItsMessageIsMadeOf) {
    const std::string a_umlaut = "\xc3\xa4";
    for (const std::string& error :
         {std::string(499, 'x') + a_umlaut, std::string(498, 'x') + a_umlaut + a_umlaut,
          std::string{"caf\xe9"}, std::string(600, '\xff')}) {
        Unwritable::error = error;
        const std::string stream = "cart-" + to_string(new_uuid7());
        world.append(stream, added("error"));
        Projector<Unwritable> projector{world.store()};
        EXPECT_EQ(projector.catch_up().parked, 1) << error;
    }
}

TEST_P(AFailingEvent, IsOneWhoseHookGoesOnAfterAStatementFailed) {
    for (int price = 0; price < 3; ++price) {
        const std::string number = std::to_string(price);
        world.append("cart-first" + number, added("sku " + number, 1, price));
        world.append("cart-second" + number, added("sku " + number, 1, price));
        world.append("cart-other" + number, added("of " + number, 1, price));
    }
    Projector<Careless> projector{world.store()};
    EXPECT_EQ(projector.catch_up().parked, 3) << "of the two that meet, one each time";
    EXPECT_EQ(projector.status()[0].state, ViewStatus::State::running);
    world.append("cart-alone", added("of 0", 1, 0));
    EXPECT_EQ(projector.catch_up().parked, 1);
    View<Careless> view{world.store()};
    const auto rows =
        view.query(eventual(), "select count(*), cast(sum(quantity) as bigint) from strict");
    EXPECT_EQ(rows.result.integer(0, 0), 6);
    EXPECT_EQ(rows.result.integer(0, 1), 6) << "nothing of theirs is left";
}

/// Its rows would be committed without the checkpoint, or lost with it.
struct Committing : Strict {
    static constexpr std::string_view name = "committing";
    static void create(Sql& sql) {
        sql.exec("create table committing (sku text primary key, quantity bigint not null)");
    }
    static void on(const ItemAdded& event, const Recorded&, Sql& sql) {
        sql.exec("insert into committing (sku, quantity) values ($1, $2)", event.sku(),
                 event.quantity());
        if (event.price() == 1) sql.exec("commit");
        if (event.price() == 2) sql.script("commit; begin");
    }
};

TEST_P(AFailingEvent, IsOneWhoseHookEndsTheTransaction) {
    world.append("cart-1", added("good"));
    world.append("cart-2", added("commits", 1, 1));
    world.append("cart-3", added("begins", 1, 2));
    world.append("cart-4", added("last"));
    Projector<Committing> projector{world.store()};
    EXPECT_EQ(projector.catch_up().parked, 2);
    View<Committing> view{world.store()};
    const auto skus = view.query(eventual(), "select sku from committing order by sku").result;
    ASSERT_EQ(skus.size(), 2U);
    EXPECT_EQ(skus.text(0, 0), "good");
    EXPECT_EQ(skus.text(1, 0), "last");
}

TEST_P(AFailingEvent, StopsTheViewWithAReasonThatIsNoUtf8) {
    world.append("cart-1", added("good"));
    Interrupted log{world.store()};
    log.before_read = [] { throw Divergence("the topic of the caf\xe9 is another"); };
    Projector<Carts> projector{log, {.views = world.store().url()}};
    EXPECT_THROW(projector.catch_up(), Divergence);
    EXPECT_EQ(list_views(world.store())[0].stopped, "the topic of the caf? is another");
}

TEST_P(AFailingEvent, OfAnotherCategoryIsNotMixedIn) {
    world.append("cart-1", added("a"));
    world.append("basket-1", added("a"));
    Projector<CategoryCarts> projector{world.store()};
    EXPECT_EQ(projector.catch_up().parked, 1);
    EXPECT_EQ(projector.retry_parked(), 0);
    EXPECT_EQ(View<CategoryCarts>{world.store()}.get("1")->items(), 1);
}

TEST_P(AFailingEvent, StopsTheViewWhenTooManyAreParked) {
    for (int cart = 0; cart < 5; ++cart) {
        world.append("cart-" + std::to_string(cart), added("bad"));
    }
    world.append("cart-0", added("good"));
    Projector<Mendable, Counts> projector{world.store(), {.max_parked = 4}};
    EXPECT_THROW(projector.catch_up(), Error);
    const auto status = projector.status();
    EXPECT_EQ(status[0].state, ViewStatus::State::stopped);
    EXPECT_NE(status[0].reason.find("max_parked"), std::string::npos) << status[0].reason;
    EXPECT_EQ(status[1].state, ViewStatus::State::running);
    EXPECT_EQ(counts(world.store()), pure_counts(world.store()));
    const auto read = View<Mendable>{world.store()}.get("0");
    EXPECT_TRUE(read.stale);
    EXPECT_NE(read.why_stale.find("stopped"), std::string::npos) << read.why_stale;

    Mendable::mended = true;
    EXPECT_EQ(projector.catch_up().parked, 0);
    EXPECT_FALSE(View<Mendable>{world.store()}.get("0").stale);
    EXPECT_EQ(rows<Mendable>(world.store()), pure_carts(world.store()));
}

}  // namespace
}  // namespace recount::test::projections
