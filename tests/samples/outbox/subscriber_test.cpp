// The sample's subscriber: what it prints, and where it goes on.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "samples/outbox/own_database.hpp"
#include "samples/outbox/printed.hpp"
#include "support/eventually.hpp"

namespace recount::test {
namespace {

using testing::Contains;
using testing::EndsWith;

struct ASubscriber : testing::Test {
    KafkaTopic topic = own_topic();
    Printed printed{topic};

    [[nodiscard]] bool prints(std::size_t lines) const {
        return eventually([&] { return printed.lines().size() >= lines; });
    }
    void publish(EventStore& store, int orders) const {
        place_orders(store, orders);
        Relay{store, {.topic = topic, .create_topics = true}}.catch_up();
    }
};

TEST_F(ASubscriber, PrintsTheOrdersOfTheSampleAndGoesOnWhereItWas) {
    const OwnDatabase database;
    for (const int orders : {100, 120}) {
        Child service{
            {OUTBOX_AFTER, database.url(), std::to_string(orders), topic.brokers, topic.name}};
        ASSERT_EQ(service.wait(), 0);
        const auto printer = printed.start();
        EXPECT_TRUE(prints(static_cast<std::size_t>(orders)));
        EXPECT_TRUE(printer->running());
        EXPECT_EQ(printed.wrong(*open_store(database.url() + "?schema=order_log")), "");
    }
    EXPECT_THAT(printed.lines(),
                Contains(EndsWith(
                    "orders.OrderPlaced customer-ada order_id: \"3\" sku: \"bowl\" quantity: 4")));
}

TEST_F(ASubscriber, PrintsTheLineAnewThatAKillCutShort) {
    const auto store = open_store("memory:", {.partitions = 2});
    publish(*store, 40);
    auto printer = printed.start();
    ASSERT_TRUE(prints(40));
    for (const std::uintmax_t cut : {1, 20, 3000}) {  // a byte, some, some lines
        printer->kill();
        std::filesystem::resize_file(printed.file(), printed.bytes() - cut);
        printer = printed.start();
        ASSERT_TRUE(prints(40));
        EXPECT_EQ(printed.wrong(*store), "");
    }
}

TEST_F(ASubscriber, PrintsAReplayOnce) {
    const auto store = open_store("memory:", {.partitions = 1});
    publish(*store, 40);
    const auto printer = printed.start();
    ASSERT_TRUE(prints(40));
    const auto records = read_raw(topic, topic.log(), 0);
    produce_again(topic, topic.log(), 0, records);
    publish(*store, 20);
    EXPECT_EQ(read_raw(topic, topic.log(), 0).size(), 100U);
    EXPECT_TRUE(prints(60));
    EXPECT_EQ(printed.wrong(*store), "");
}

TEST_F(ASubscriber, PrintsWhatHasNoPayloadToo) {
    const auto store = open_store("memory:", {.partitions = 1});
    append_events(*store, 1, 1, "saga");  // a relay withholds its payload
    publish(*store, 1);
    const auto printer = printed.start();
    ASSERT_TRUE(prints(2));
    EXPECT_EQ(printed.lines().at(0), "0:1 google.protobuf.StringValue saga-0");
}

TEST_F(ASubscriber, LeavesAFileOfSomebodyElseAlone) {
    const auto store = open_store("memory:", {.partitions = 1});
    publish(*store, 1);
    std::ofstream{printed.file()} << "milk, bread\nbutter";
    const auto printer = printed.start();
    EXPECT_TRUE(eventually([&] { return !printer->running(); }));
    EXPECT_EQ(printed.bytes(), 18U);
}

TEST_F(ASubscriber, StandsByWhileAnotherPrintsToItsFile) {
    const auto store = open_store("memory:", {.partitions = 2});
    publish(*store, 20);
    const auto first = printed.start();
    ASSERT_TRUE(prints(20));
    const auto second = printed.start();
    publish(*store, 200);
    ASSERT_TRUE(prints(220));
    EXPECT_TRUE(second->running());
    first->kill();
    publish(*store, 20);
    EXPECT_TRUE(prints(240));
    EXPECT_EQ(printed.wrong(*store), "");
}

/// Of a store in a file, whose backup is a copy of it.
struct ASubscriberOfAStoreThatIsRestored : ASubscriber {
    TemporaryFolder folder;
    std::string file = folder.file("orders.db");
    std::string url = "sqlite:" + file;

    void publish_in_file(int orders) const { publish(*open_store(url, {.partitions = 2}), orders); }
    void restore(const std::string& backup) const {
        for (const char* part : {"", "-wal", "-shm"}) std::filesystem::remove(file + part);
        std::filesystem::copy_file(backup, file);
        declare_restored(url);
    }
};

TEST_F(ASubscriberOfAStoreThatIsRestored, GoesOnWhereNothingPrintedWasLostAndEndsWhereSomeWas) {
    publish_in_file(40);
    const std::string backup = folder.file("backup");
    std::filesystem::copy_file(file, backup);
    auto printer = printed.start();
    ASSERT_TRUE(prints(40));
    printer->kill();

    publish_in_file(20);
    restore(backup);
    publish_in_file(30);
    printer = printed.start();
    ASSERT_TRUE(prints(70));
    EXPECT_EQ(printed.wrong(*open_store(url)), "");

    restore(backup);
    declare_restored(url);  // its topic's name is one that a lost history has used
    publish_in_file(100);
    for (int start = 0; start < 2; ++start) {
        EXPECT_TRUE(eventually([&] { return !printer->running(); }));
        EXPECT_EQ(printed.lines().size(), 70U);
        printer = printed.start();
    }
}

}  // namespace
}  // namespace recount::test
