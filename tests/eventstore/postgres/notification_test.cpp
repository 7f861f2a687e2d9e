#include <recount/eventstore.hpp>

#include <gtest/gtest.h>

#include "eventstore/postgres/appends.hpp"
#include "eventstore/postgres/own_schema.hpp"
#include "postgres_announcer.hpp"
#include "postgres_listener.hpp"
#include "support/eventually.hpp"

#include <atomic>
#include <system_error>
#include <utility>

namespace recount::test {
namespace {

class ListeningProcess : public testing::Test {
protected:
    ListeningProcess()
        : database_(Database::open(schema_.url())),
          address_(postgres::parse_address(schema_.url())),
          announcer_(address_, channel_, Environment::system()),
          listener_(address_, channel_, Environment::system(), [this] { ++heard_; }) {}

    bool hears_of_growth() {
        const int before = heard_;
        announcer_.grown();
        return eventually([&] { return heard_ > before; });
    }

    OwnSchema schema_;
    std::unique_ptr<Database> database_;
    postgres::Address address_;
    std::string channel_ = unique_name("recount-test-");
    std::atomic<int> heard_ = 0;
    postgres::Announcer announcer_;
    postgres::Listener listener_;
};

/// A process that gets no more threads.
struct NoThreads : Scheduler {
    std::unique_ptr<Signal> signal() override { return system.signal(); }
    std::unique_ptr<Task> spawn(std::string name,
                                std::function<void(std::stop_token)> run) override {
        if (none) throw std::system_error(std::make_error_code(std::errc::device_or_resource_busy));
        return system.spawn(std::move(name), std::move(run));
    }
    bool sleep(Duration duration, std::stop_token stop) override {
        return system.sleep(duration, std::move(stop));
    }
    Scheduler& system = Environment::system().scheduler;
    bool none = false;
};

TEST(ProcessWithoutThreads, SaysThatWhatItCommittedIsCommitted) {
    const OwnSchema schema;
    NoThreads scheduler;
    Environment& system = Environment::system();
    Environment world{system.clock, system.random, scheduler, system.metrics};
    const auto store = open_store(schema.url(), {.environment = &world});
    scheduler.none = true;
    for (int round = 0; round < 2; ++round) {
        EXPECT_EQ(store->append(append_to("cart-1")).kind, AppendResult::Kind::committed);
    }
    scheduler.none = false;
    EXPECT_EQ(store->append(append_to("cart-1")).kind, AppendResult::Kind::committed);
}

TEST_F(ListeningProcess, HearsOfEveryGrowth) {
    ASSERT_TRUE(eventually([&] { return heard_ == 1; })) << "it never began to listen";
    for (int round = 0; round < 5; ++round) EXPECT_TRUE(hears_of_growth());
}

TEST_F(ListeningProcess, ListensAgainWhenItsConnectionWasLost) {
    ASSERT_TRUE(eventually([&] { return heard_ == 1; }));
    const auto ended = database_->begin(SqlMode::write)
                           ->query(
                               "select count(pg_terminate_backend(pid)) from pg_stat_activity "
                               "where query = 'LISTEN \"' || $1 || '\"'",
                               channel_);
    ASSERT_EQ(ended.integer(0, 0), 1);
    ASSERT_TRUE(eventually([&] { return heard_ > 1; })) << "it looks for what it may have missed";
    EXPECT_TRUE(hears_of_growth());
}

}  // namespace
}  // namespace recount::test
