#include "postgres_watch.hpp"

#include <recount/core/error.hpp>
#include <recount/testing/manual_environment.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <utility>

namespace recount::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::vector<LogHead> ending_at(std::int64_t n) { return {LogHead{n, {}, {}}}; }

/// Of a store of one partition whose server is here: it answers as it is told to.
class AWatch : public testing::Test {
protected:
    /// This process appended, and the server has it.
    void append(std::int64_t n) {
        stored_ = n;
        watch_.grown({{Partition{0}, {}, {n, {}, {}}}});
    }
    bool has_more(std::int64_t seen, Duration at_most) {
        Positions positions{1};
        positions.set({Partition{0}, seen});
        return watch_.wait(positions, at_most, {});
    }
    /// Another server took over, after a while, and holds less.
    void fail_over(std::int64_t n) {
        world_.advance(seconds{3});
        stored_ = n;
    }

    ManualEnvironment world_;
    std::int64_t stored_ = 0;
    int looks_ = 0;
    std::function<void()> meanwhile_;  // before a look that was made is answered
    postgres::Watch watch_{world_.environment(), 1, [this] {
                               ++looks_;
                               const std::int64_t found = stored_;
                               if (meanwhile_) std::exchange(meanwhile_, {})();
                               return ending_at(found);
                           }};
};

TEST_F(AWatch, TellsOfWhatThisProcessAppendsWithoutLooking) {
    for (std::int64_t n = 1; n <= 50; ++n) {
        append(n);
        world_.advance(milliseconds{50});  // what its reader was busy for
        EXPECT_TRUE(has_more(n - 1, seconds{1}));
    }
    EXPECT_EQ(looks_, 0);
}

TEST_F(AWatch, TellsOfWhatItSawWithoutLookingAgain) {
    stored_ = 1000;
    for (std::int64_t n = 0; n < 100; ++n) {
        EXPECT_TRUE(has_more(n, seconds{1}));
        world_.advance(milliseconds{10});
    }
    EXPECT_LE(looks_, 10);
}

TEST_F(AWatch, LooksOftenBehindAReaderWhoWasBusy) {
    stored_ = 100;
    for (std::int64_t n = 0; n < 100; ++n) {
        EXPECT_TRUE(has_more(n, seconds{1}));
        world_.advance(milliseconds{150});
    }
    looks_ = 0;
    EXPECT_FALSE(has_more(100, milliseconds{100}));
    EXPECT_GE(looks_, 4);
}

TEST_F(AWatch, ForgetsWhatItAppendedWhenThatWasLost) {
    append(5);
    fail_over(3);
    EXPECT_FALSE(has_more(3, Duration{0}));
    EXPECT_FALSE(has_more(3, seconds{2})) << "nobody reads what is not there";
    stored_ = 4;
    EXPECT_TRUE(has_more(3, seconds{2}));
}

TEST_F(AWatch, ForgetsWhatItSawWhenThatWasLost) {
    stored_ = 5;
    EXPECT_TRUE(has_more(3, Duration{0}));
    fail_over(3);
    const auto before = world_.now();
    EXPECT_FALSE(has_more(3, seconds{2}));
    EXPECT_EQ(world_.now() - before, seconds{2}) << "it waited for all of the time";
}

TEST_F(AWatch, ForgetsWhatWasLostWhenSomebodyElseReadsTheHeads) {
    append(5);
    fail_over(3);
    watch_.told(ending_at(3), world_.environment().clock.steady());
    EXPECT_FALSE(has_more(3, milliseconds{50}));
}

TEST_F(AWatch, KeepsWhatIsAppendedWhileItLooks) {
    stored_ = 4;
    meanwhile_ = [this] { append(5); };
    EXPECT_TRUE(has_more(4, seconds{1}));
    EXPECT_EQ(looks_, 1);
}

TEST_F(AWatch, KeepsWhatALaterLookFound) {
    stored_ = 4;
    meanwhile_ = [this] {
        world_.advance(milliseconds{1});
        watch_.told(ending_at(5), world_.environment().clock.steady());
    };
    EXPECT_TRUE(has_more(4, seconds{1}));
    EXPECT_EQ(looks_, 1);
}

TEST_F(AWatch, SaysThatThereMayBeMoreWhileAnotherLooks) {
    append(5);
    world_.advance(seconds{3});
    bool told = false;
    meanwhile_ = [&] { told = has_more(4, milliseconds{1}); };
    EXPECT_TRUE(has_more(4, seconds{1}));
    EXPECT_TRUE(told);
    EXPECT_EQ(looks_, 1);
}

TEST_F(AWatch, IsAskedByWhoDoesNotWaitThoughAnotherLooks) {
    bool told = false;
    meanwhile_ = [&] {
        stored_ = 1;  // behind the other one's look
        told = has_more(0, Duration{0});
    };
    EXPECT_FALSE(has_more(0, Duration{0}));
    EXPECT_TRUE(told);
}

}  // namespace
}  // namespace recount::test
