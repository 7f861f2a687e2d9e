#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <recount/core/error.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "faults.hpp"
#include "support/eventually.hpp"
#include "world.hpp"

namespace recount::test::projections {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

/// Who reads a view, and what it may ask for.
class AReader : public testing::TestWithParam<std::string> {
protected:
    AReader() {
        world.append("cart-1", added("a", 2));
        Projector<Carts>{world.store()}.catch_up();
    }
    World world{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(On, AReader, testing::ValuesIn(backends()),
                         [](const auto& tested) { return tested.param; });

TEST_P(AReader, IsRefusedWhatWrites) {
    View<Carts> view{world.store()};
    for (const char* sql :
         {"delete from carts", "update carts set items = 9", "drop table carts",
          "create table mine (a bigint)", "insert into carts (_key, _revision) values ('2', 1)"}) {
        try {
            (void)view.query(eventual(), sql);
            ADD_FAILURE() << sql << " was done";
        } catch (const InvalidArgument& error) {
            EXPECT_FALSE(error.retryable());
            EXPECT_THAT(error.what(), HasSubstr("view carts is read here"));
            EXPECT_THAT(error.what(), HasSubstr(sql));
        }
    }
    EXPECT_EQ(view.get("1")->items(), 2);
    EXPECT_EQ(view.list().rows.size(), 1U);
}

TEST_P(AReader, IsServedWhateverOnlyReads) {
    View<Carts> view{world.store()};
    const auto upto = view.query(eventual(),
                                 "with recursive n (i) as (select 1 union all select i + 1 from n "
                                 "where i < $1) select count(*) from n, carts",
                                 9);
    EXPECT_EQ(upto.result.integer(0, 0), 9);
    EXPECT_EQ(view.query(eventual(), "values (1), (2)").result.size(), 2U);
}

TEST_P(AReader, FindsNothingUnderAKeyThatIsNoText) {
    using namespace std::string_literals;
    View<Carts> view{world.store()};
    for (const std::string& key : {"\xff\xfe"s, "1\0"s, "caf\xe9"s}) {
        const auto read = view.get(key);
        EXPECT_FALSE(read);
        EXPECT_EQ(read.generation, 1);
    }
}

/// Nor under one that no stream of the view's category can have.
TEST_P(AReader, FindsNothingUnderAKeyThatIsNoStreams) {
    using namespace std::string_literals;
    Projector<CategoryCarts>{world.store()}.catch_up();
    View<CategoryCarts> view{world.store()};
    for (const std::string& key : {""s, std::string(300, 'a'), "1\t"s, "\xff"s}) {
        const auto read = view.get(key);
        EXPECT_FALSE(read) << key;
        EXPECT_FALSE(read.stale) << read.why_stale;
    }
    EXPECT_TRUE(view.get("1"));
}

TEST_P(AReader, AndItsProjectorTakeTimesWithoutEnd) {
    const Duration ever = Duration::max();
    Projector<Skus> projector{world.store(),
                              {.idle_wait = ever,
                               .first_backoff = ever,
                               .last_backoff = ever,
                               .patience = ever,
                               .timeout = ever}};
    projector.catch_up();
    world.append("cart-1", added("ever"));
    projector.catch_up();
    View<Skus> view{world.store(),
                    {.heads_age = ever, .first_poll = ever, .last_poll = ever, .timeout = ever}};
    for (int time = 0; time < 3; ++time) {
        EXPECT_TRUE(view.get("ever", eventual().wait_for(ever)));
    }
}

/// So many connections are enough for any number of threads.
TEST_P(AReader, OfManyThreadsOpensNoMoreConnectionsThanItMay) {
    std::atomic<int> opened = 0;
    View<Carts> view{world.store(),
                     {.connections = 3, .open = [&](const auto& url, const auto& options) {
                          if (url.find("carts") != std::string::npos) ++opened;
                          return Database::open(url, options);
                      }}};
    std::atomic<int> found = 0;
    {
        std::vector<std::jthread> threads;
        for (int count = 0; count < 12; ++count) {
            threads.emplace_back([&] {
                for (int read = 0; read < 20; ++read) found += view.get("1") ? 1 : 0;
            });
        }
    }
    EXPECT_EQ(found, 12 * 20);
    EXPECT_LE(opened, 3);
    EXPECT_GE(opened, world.stored() ? 1 : 0);
}

TEST_P(AReader, ThatFindsAllConnectionsBusyIsToldSo) {
    if (!world.stored()) GTEST_SKIP() << "one connection for all, which is waited for";
    const auto faults = std::make_shared<Faults>();
    std::atomic<bool> inside = false, on = false;
    View<Carts> view{world.store(),
                     {.timeout = milliseconds{50}, .connections = 1, .open = faulty(faults)}};
    view.get("1");
    faults->before_begin = [&] {
        if (inside.exchange(true)) return;
        EXPECT_TRUE(eventually([&] { return on.load(); }));
    };
    std::jthread other{[&] { EXPECT_TRUE(view.get("1")); }};
    EXPECT_TRUE(eventually([&] { return inside.load(); }));
    try {
        view.get("1");
        ADD_FAILURE() << "it was served";
    } catch (const Overloaded& error) {
        EXPECT_THAT(error.what(), HasSubstr("ViewOptions::connections"));
    }
    on = true;
    other.join();
    EXPECT_TRUE(view.get("1"));
}

/// What is wrong with the catalogue is said; only a view that was never started has no rows.
TEST_P(AReader, OfABrokenCatalogueIsToldWhatIsWrong) {
    if (!world.stored()) GTEST_SKIP() << "its catalogue is in memory";
    {
        const std::string url = world.url();
        const auto catalogue = Database::open(
            GetParam() == "sqlite" ? url.substr(0, url.size() - 3) + ".views.db" : url + "_views",
            {.create = false});
        const auto sql = catalogue->begin(SqlMode::write);
        sql->exec("alter table generation rename column state to condition");
        sql->commit();
    }
    View<Carts> view{world.store()};
    try {
        view.get("1");
        ADD_FAILURE() << "it was served";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("state"));
    }
    View<Skus> never_started{world.store()};
    EXPECT_THROW(never_started.get("a"), Error);
}

/// A catalogue that does not answer is asked by one thread for all.
TEST_P(AReader, OfManyDoesNotWaitForEachOthersTimeOut) {
    if (!world.stored()) GTEST_SKIP() << "its catalogue is in memory";
    std::atomic<int> asked = 0;
    std::atomic<bool> go = false;
    View<Carts> view{world.store(), {.open = [&](const auto&, const auto&) {
                         ++asked;
                         EXPECT_TRUE(eventually([&] { return go.load(); }));
                         throw Unavailable("nobody answers; start it");
                         return std::unique_ptr<Database>{};
                     }}};
    std::atomic<int> refused = 0, began = 0;
    {
        std::vector<std::jthread> threads;
        for (int count = 0; count < 16; ++count) {
            threads.emplace_back([&] {
                ++began;
                try {
                    view.get("1");
                } catch (const Unavailable&) {
                    ++refused;
                }
            });
        }
        EXPECT_TRUE(eventually([&] { return began == 16 && asked > 0; }));
        go = true;
    }
    EXPECT_EQ(refused, 16);
    EXPECT_LT(asked, 16);
}

}  // namespace
}  // namespace recount::test::projections
