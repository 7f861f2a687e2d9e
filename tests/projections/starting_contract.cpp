#include <gtest/gtest.h>

#include <recount/core/error.hpp>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "log_lines.hpp"
#include "world.hpp"

namespace recount::test::projections {
namespace {

struct NewerCarts : Carts {
    static constexpr int version = 2;
};

/// Lets something happen, once, while a projector starts for the first time.
class Meanwhile {
public:
    /// The catalogue knows what is to be built, which is opened next.
    std::function<void()> before_opening;
    /// It was seen that nothing is current.
    std::function<void()> before_going_live;

    OpenDatabase open() {
        return [this](const std::string& url, const DatabaseOptions& options) {
            if (catalogue_.empty()) catalogue_ = url;
            const bool catalogue = url == catalogue_;
            if (!catalogue) {
                opened_ = true;
                happen(before_opening);
            }
            auto database = Database::open(url, options);
            return catalogue ? std::make_unique<Catalogue>(std::move(database), *this)
                             : std::move(database);
        };
    }

private:
    class Catalogue : public Database {
    public:
        Catalogue(std::unique_ptr<Database> real, Meanwhile& meanwhile)
            : real_(std::move(real)), meanwhile_(meanwhile) {}
        std::unique_ptr<SqlTransaction> begin(SqlMode mode) override {
            if (mode == SqlMode::write && meanwhile_.opened_) happen(meanwhile_.before_going_live);
            return real_->begin(mode);
        }
        [[nodiscard]] SqlDialect dialect() const override { return real_->dialect(); }
        [[nodiscard]] const std::string& name() const override { return real_->name(); }

    private:
        std::unique_ptr<Database> real_;
        Meanwhile& meanwhile_;
    };

    static void happen(std::function<void()>& what) {
        if (what) std::exchange(what, nullptr)();
    }

    std::string catalogue_;
    bool opened_ = false;
};

class TwoVersionsThatStartTogether : public testing::TestWithParam<std::string> {
protected:
    TwoVersionsThatStartTogether() { append_random(world, 31, 10); }
    void SetUp() override {
        if (!world.stored()) GTEST_SKIP() << "is opened by one program only";
    }
    ProjectorOptions options() { return {.open = meanwhile.open()}; }
    int version_read() { return View<Carts>{world.store()}.list().version; }

    World world{GetParam()};
    Meanwhile meanwhile;
};
INSTANTIATE_TEST_SUITE_P(On, TwoVersionsThatStartTogether, testing::ValuesIn(backends()),
                         [](const auto& tested) { return tested.param; });

TEST_P(TwoVersionsThatStartTogether, EndWithTheNewer) {
    meanwhile.before_opening = [&] { Projector<NewerCarts>{world.store()}.catch_up(); };
    Projector<Carts> older{world.store(), options()};
    EXPECT_EQ(version_read(), 2);
    EXPECT_THROW(older.catch_up(), Mismatch);
    EXPECT_EQ(version_read(), 2);
}

TEST_P(TwoVersionsThatStartTogether, LeaveTheOlderToReadersUntilTheNewerIsBuilt) {
    meanwhile.before_going_live = [&] { Projector<Carts>{world.store()}.catch_up(); };
    Projector<NewerCarts> newer{world.store(), options()};
    EXPECT_EQ(version_read(), 1);
    EXPECT_EQ(rows<Carts>(world.store()), pure_carts(world.store()));
    EXPECT_EQ(newer.catch_up().swapped, 1);
    EXPECT_EQ(version_read(), 2);
}

TEST_P(TwoVersionsThatStartTogether, OrTwiceTheSameSayNothingOfATakeover) {
    const LogLines log;
    meanwhile.before_opening = [&] { Projector<Carts>{world.store()}.catch_up(); };
    Projector<Carts> second{world.store(), options()};
    second.catch_up();
    EXPECT_EQ(version_read(), 1);
    EXPECT_TRUE(log.with("takes over").empty());
}

TEST_P(TwoVersionsThatStartTogether, LeaveTheOlderWhenTheNewerEndsBeforeItIsRead) {
    Meanwhile with_the_newer;
    with_the_newer.before_opening = [] { throw Unavailable("it ended"); };
    meanwhile.before_opening = [&] {
        EXPECT_THROW((Projector<NewerCarts>{world.store(), {.open = with_the_newer.open()}}),
                     Unavailable);
    };
    Projector<Carts> older{world.store(), options()};
    older.catch_up();
    EXPECT_EQ(version_read(), 1);
    EXPECT_EQ(Projector<NewerCarts>{world.store()}.catch_up().swapped, 1);
}

}  // namespace
}  // namespace recount::test::projections
