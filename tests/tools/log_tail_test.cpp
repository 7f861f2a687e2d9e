#include "log_printing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "saga/watched_store.hpp"

namespace recount::tools {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// Lets something happen before each wait, and counts those that ended because there was more.
class TailedStore : public saga_test::WatchedStore {
public:
    TailedStore(EventStore& store, std::function<void(int)> before_wait)
        : WatchedStore(store, [](int, When) {}), before_wait_(std::move(before_wait)) {}

    bool wait(const Positions& seen, Duration at_most, std::stop_token stop) override {
        before_wait_(++waits);
        const bool more =
            WatchedStore::wait(seen, std::min<Duration>(at_most, milliseconds{5}), std::move(stop));
        if (more) ++woken;
        return more;
    }

    int waits = 0;
    int woken = 0;

private:
    std::function<void(int)> before_wait_;
};

/// A stream of this partition of two.
StreamName stream_in(std::int32_t partition, std::string id) {
    while (partition_of("cart-" + id, 2).value != partition) id += "x";
    return StreamName{"cart", id};
}

TEST(TheTailOfOnePartition, IsNotWokenByWhatAnotherGets) {
    const auto store = open_store("memory:", {.partitions = 2});
    const auto append = [&](std::int32_t partition, const char* id) {
        static_cast<void>(
            store->close_stream(stream_in(partition, id), {}, "settled", Expected::any()));
    };
    append(0, "before");
    append(1, "before");
    TailedStore tailed{*store, [&](int wait) {
                           if (wait == 1) append(0, "other");
                           if (wait == 5) append(1, "own");
                       }};
    std::ostringstream out, err;
    Context context{out, err, {}, false, {}};
    tail_log(context, tailed, {.partition = 1, .limit = 1});
    EXPECT_EQ(tailed.waits, 5);
    EXPECT_EQ(tailed.woken, 1);
    EXPECT_LE(tailed.calls(), 20);
    EXPECT_THAT(out.str(), AllOf(HasSubstr("cart-own"), Not(HasSubstr("cart-other"))));
}

TEST(TheTail, EndsWhenNothingCanBePrinted) {
    const auto store = open_store("memory:", {.partitions = 2});
    TailedStore tailed{*store, [&](int wait) {
                           ASSERT_LT(wait, 3);
                           static_cast<void>(store->close_stream(stream_in(0, std::to_string(wait)),
                                                                 {}, "settled", Expected::any()));
                       }};
    struct Full : std::streambuf {
    } full;
    std::ostream nowhere{&full};
    std::ostringstream err;
    Context context{nowhere, err, {}, false, {}};
    tail_log(context, tailed, {});
    EXPECT_EQ(tailed.waits, 1);
}

}  // namespace
}  // namespace recount::tools
