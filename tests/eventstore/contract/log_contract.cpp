#include "eventstore/contract/store_contract.hpp"

#include <recount/core/error.hpp>
#include <recount/core/hash.hpp>

#include <google/protobuf/descriptor.pb.h>

#include <limits>
#include <set>
#include <thread>

namespace recount::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::int64_t no_limit = std::numeric_limits<std::int64_t>::max();

std::string big_endian(std::uint64_t value, int bytes) {
    std::string text;
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
        text.push_back(static_cast<char>(value >> shift));
    }
    return text;
}

TEST_P(LogContract, BeginsEmpty) {
    EXPECT_THAT(store().heads(), SizeIs(16));
    for (std::int32_t i = 0; i < 16; ++i) {
        const LogPage page = store().read(Partition{i}, 0);
        EXPECT_THAT(page.events, IsEmpty());
        EXPECT_TRUE(page.end);
        const LogHead head = store().heads()[static_cast<std::size_t>(i)];
        EXPECT_EQ(head.n, 0);
        EXPECT_EQ(head.hash,
                  store().incarnations().front().origin(store().identity().id, Partition{i}));
    }
    const StreamPage page = store().read_stream(stream("cart-1"));
    EXPECT_THAT(page.events, IsEmpty());
    EXPECT_EQ(page.head, Version{0});
    EXPECT_TRUE(page.end);
    EXPECT_THAT(store().verify_chain(), SizeIs(16));
}

TEST_P(LogContract, KeepsItsIdentity) {
    const StoreIdentity first = store().identity();
    EXPECT_NE(first.id, Uuid{});
    EXPECT_NE(first.incarnation, first.id);
    ASSERT_THAT(store().incarnations(), SizeIs(1));
    EXPECT_EQ(store().incarnations().back().id, first.incarnation);
    EXPECT_FALSE(store().incarnations().back().parent);
    reopen();
    EXPECT_EQ(store().identity().id, first.id);
    EXPECT_EQ(store().identity().incarnation, first.incarnation);
    EXPECT_EQ(store().identity().partitions, first.partitions);
}

TEST_P(LogContract, PutsAStreamIntoItsPartition) {
    for (int i = 0; i < 100; ++i) add("cart-" + std::to_string(i));
    std::set<Partition> used;
    for (int i = 0; i < 100; ++i) {
        const std::string name = "cart-" + std::to_string(i);
        const Partition partition = read_all(name).front().at.position.partition;
        EXPECT_EQ(partition, partition_of(name, 16));
        used.insert(partition);
    }
    EXPECT_GT(used.size(), 12U);
}

TEST_P(LogContract, NumbersEachPartitionWithoutGaps) {
    for (int i = 0; i < 60; ++i) add("cart-" + std::to_string(i % 7), 1 + i % 3);
    reopen();
    std::int64_t total = 0;
    const auto heads = store().heads();
    for (std::int32_t i = 0; i < 16; ++i) {
        const auto events = read_partition(Partition{i}, 4);
        const LogHead& head = heads[static_cast<std::size_t>(i)];
        ASSERT_EQ(static_cast<std::int64_t>(events.size()), head.n);
        for (std::size_t n = 0; n < events.size(); ++n) {
            EXPECT_EQ(events[n].at.position, (Position{Partition{i}, static_cast<int>(n) + 1}));
        }
        if (!events.empty()) {
            EXPECT_EQ(events.back().hash, head.hash);
            EXPECT_EQ(events.back().at.recorded_at, head.recorded_at);
        }
        total += head.n;
    }
    EXPECT_EQ(total, 120);
}

TEST_P(LogContract, ChainsEventsAsDocumented) {
    for (int i = 0; i < 20; ++i) add("cart-" + std::to_string(i % 5), 2);
    reopen();
    const StoreIdentity& identity = store().identity();
    for (std::uint32_t i = 0; i < 16; ++i) {
        Hash before = sha256("recount/origin/1" + std::string{identity.id.view()} +
                             std::string{identity.incarnation.view()} + big_endian(i, 4) +
                             big_endian(0, 8) + std::string(32, '\0'));
        std::uint64_t n = 0;
        for (const RecordedEvent& event : read_partition(Partition{static_cast<int>(i)})) {
            EXPECT_EQ(event.hash, sha256("recount/event/1" + big_endian(i, 4) + big_endian(++n, 8) +
                                         std::string{before.view()} + event.envelope));
            EXPECT_EQ(event.at.payload_digest, sha256(event.salt + *event.payload));
            before = event.hash;
        }
    }
    EXPECT_EQ(store().verify_chain(), store().heads());
}

TEST_P(LogContract, TimeNeverRunsBackInAPartition) {
    for (int i = 0; i < 50; ++i) add("cart-" + std::to_string(i));
    for (std::int32_t i = 0; i < 16; ++i) {
        Timestamp last{};
        for (const RecordedEvent& event : read_partition(Partition{i})) {
            EXPECT_GE(event.at.recorded_at, last);
            EXPECT_EQ(event.at.occurred_at, event.at.recorded_at);
            last = event.at.recorded_at;
        }
    }
}

TEST_P(LogContract, ReadsAStreamForwards) {
    add("cart-1", 10);
    add("cart-2", 3);
    const auto read = [this](std::int64_t from, std::size_t most) {
        return store().read_stream(stream("cart-1"), {.from = Version{from}, .max_events = most});
    };
    EXPECT_THAT(versions(read(1, 4).events), ElementsAre(1, 2, 3, 4));
    EXPECT_FALSE(read(1, 4).end);
    EXPECT_EQ(read(1, 4).head, Version{10});
    EXPECT_THAT(versions(read(9, 4).events), ElementsAre(9, 10));
    EXPECT_TRUE(read(9, 4).end);
    EXPECT_TRUE(read(9, 2).end);
    EXPECT_THAT(versions(read(-5, 1).events), ElementsAre(1));
    EXPECT_THAT(read(11, 4).events, IsEmpty());
    EXPECT_TRUE(read(11, 4).end);
    EXPECT_EQ(read(11, 4).head, Version{10});
    EXPECT_THAT(read(no_limit, 4).events, IsEmpty());
}

TEST_P(LogContract, ReadsAStreamBackwards) {
    add("cart-1", 10);
    const auto read = [this](std::int64_t from, std::size_t most) {
        return store().read_stream(
            stream("cart-1"),
            {.from = Version{from}, .max_events = most, .direction = Direction::backwards});
    };
    EXPECT_THAT(versions(read(no_limit, 3).events), ElementsAre(10, 9, 8));
    EXPECT_FALSE(read(no_limit, 3).end);
    EXPECT_THAT(versions(read(2, 3).events), ElementsAre(2, 1));
    EXPECT_TRUE(read(2, 3).end);
    EXPECT_THAT(versions(read(25, 1).events), ElementsAre(10));
    EXPECT_THAT(read(0, 3).events, IsEmpty());
    EXPECT_TRUE(read(0, 3).end);
}

TEST_P(LogContract, BoundsPagesByBytesButReturnsOneEvent) {
    StreamWrite write{stream("cart-1"), Expected::any(), {}};
    for (int i = 0; i < 5; ++i) write.events.push_back(event(std::string(10'000, 'x')));
    static_cast<void>(store().append(make_append("a", {write})));
    const StreamPage tiny = store().read_stream(stream("cart-1"), {.max_bytes = 1});
    EXPECT_THAT(tiny.events, SizeIs(1));
    EXPECT_FALSE(tiny.end);
    EXPECT_THAT(store().read_stream(stream("cart-1"), {.max_bytes = 25'000}).events, SizeIs(2));
    const Partition partition = partition_of("cart-1", 16);
    EXPECT_THAT(store().read(partition, 0, {.max_bytes = 1}).events, SizeIs(1));
    EXPECT_THAT(store().read(partition, 0, {.max_bytes = 25'000}).events, SizeIs(2));
    EXPECT_FALSE(store().read(partition, 3, {.max_bytes = 10'500}).end);
    EXPECT_TRUE(store().read(partition, 4, {.max_bytes = 10'500}).end);
}

TEST_P(LogContract, TreatsAPageOfNoEventsAsOneOfOne) {
    add("cart-1", 2);
    EXPECT_THAT(store().read_stream(stream("cart-1"), {.max_events = 0}).events, SizeIs(1));
    EXPECT_THAT(store().read(partition_of("cart-1", 16), 0, {.max_events = 0}).events, SizeIs(1));
}

TEST_P(LogContract, ReadsAPartitionBehindAPosition) {
    add("cart-1", 10);
    const Partition partition = partition_of("cart-1", 16);
    const LogPage page = store().read(partition, 7, {.max_events = 2});
    EXPECT_THAT(versions(page.events), ElementsAre(8, 9));
    EXPECT_FALSE(page.end);
    const LogPage last = store().read(partition, 9);
    EXPECT_THAT(versions(last.events), ElementsAre(10));
    EXPECT_TRUE(last.end);
    EXPECT_THAT(store().read(partition, 10).events, IsEmpty());
}

TEST_P(LogContract, NamesALostEndToAReaderWhoHasSeenMore) {
    add("cart-1", 3);
    EXPECT_THROW(store().read(partition_of("cart-1", 16), 4), Divergence);
}

TEST_P(LogContract, RefusesAPartitionThatItDoesNotHave) {
    EXPECT_THROW(store().read(Partition{16}, 0), InvalidArgument);
    EXPECT_THROW(store().read(Partition{-1}, 0), InvalidArgument);
}

TEST_P(LogContract, HasThePartitionsItWasMadeWith) {
    reopen_with({.partitions = 3});
    EXPECT_EQ(store().identity().partitions, 3);
    for (int i = 0; i < 20; ++i) add("cart-" + std::to_string(i));
    EXPECT_THAT(store().heads(), SizeIs(3));
    EXPECT_EQ(count_events(), 20);
    EXPECT_EQ(store().verify_chain(), store().heads());
    reopen();
    EXPECT_EQ(store().identity().partitions, 3);
}

TEST_P(LogContract, RefusesAnotherNumberOfPartitions) {
    add("cart-1");
    if (!place_->lasts()) GTEST_SKIP() << "a second program cannot open it";
    store_.reset();
    EXPECT_THROW(place_->open({.partitions = 8}), Mismatch);
    store_ = place_->open({.partitions = 16});
    EXPECT_EQ(count_events(), 1);
}

TEST_P(LogContract, WaitReturnsAtOnceWhenThereIsMore) {
    EXPECT_FALSE(store().wait({}, 0ms));
    add("cart-1");
    EXPECT_TRUE(store().wait({}, 0ms));
    Positions seen;
    const auto heads = store().heads();
    for (std::int32_t i = 0; i < 16; ++i) {
        seen.raise({Partition{i}, heads[static_cast<std::size_t>(i)].n});
    }
    EXPECT_FALSE(store().wait(seen, 1ms));
    reopen();
    EXPECT_FALSE(store().wait(seen, 1ms));
    EXPECT_TRUE(store().wait({}, 1ms));
}

TEST_P(LogContract, WaitWakesForAnEvent) {
    std::jthread writer{[this] { add("cart-1"); }};
    EXPECT_TRUE(store().wait({}, 60s));
    writer.join();
    EXPECT_EQ(count_events(), 1);
}

TEST_P(LogContract, WaitEndsWhenAskedToStop) {
    std::stop_source stop;
    std::jthread stopper{[&stop] { stop.request_stop(); }};
    EXPECT_FALSE(store().wait({}, 60s, stop.get_token()));
}

TEST_P(LogContract, KeepsTheSchemaOfTypesThatTheProgramKnows) {
    static_cast<void>(store().append(make_append(
        "a", {{stream("cart-1"),
               Expected::any(),
               {event("", "google.protobuf.FileOptions"), event("", "nobody.Knows")}}})));
    reopen();
    const auto bytes = store().schema("google.protobuf.FileOptions", 1);
    ASSERT_TRUE(bytes);
    google::protobuf::FileDescriptorSet files;
    ASSERT_TRUE(files.ParseFromString(*bytes));
    ASSERT_THAT(files.file(), SizeIs(1));
    EXPECT_EQ(files.file(0).name(), "google/protobuf/descriptor.proto");
    EXPECT_FALSE(store().schema("google.protobuf.FileOptions", 2));
    EXPECT_FALSE(store().schema("nobody.Knows", 1));
    EXPECT_FALSE(store().schema("nobody.Wrote", 1));
    add("cart-1");
    for (const RecordedEvent& event : read_all("cart-1")) EXPECT_EQ(event.at.schema_revision, 1U);
}

TEST_P(LogContract, SaysWhereItIsWithoutSecrets) {
    EXPECT_FALSE(store().identity().name.empty());
    EXPECT_EQ(store().identity().name.find('@'), std::string::npos);
    EXPECT_FALSE(store().url().empty());
}

}  // namespace
}  // namespace recount::test
