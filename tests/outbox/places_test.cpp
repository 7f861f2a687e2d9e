#include <recount/core/error.hpp>
#include <recount/core/metrics.hpp>
#include <recount/outbox.hpp>
#include <recount/projections.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>

#include "outbox/kit.hpp"
#include "projections/world.hpp"
#include "support/eventually.hpp"
#include "tape.hpp"

namespace recount::test {
namespace {

constexpr Partition zero{0};

double searches(const KafkaTopic& topic) {
    return Environment::system()
        .metrics.counter("recount_log_searches_total", "", {{"topic", topic.name}})
        .value();
}

/// A topic whose offsets are not its positions: foreign records, transactions and replays.
struct AnUnevenTopic : testing::Test {
    std::unique_ptr<EventStore> store = open_store("memory:", {.partitions = 1});
    KafkaTopic topic = own_topic_for(*store);
    Relay relay{*store, {.topic = topic}};

    AnUnevenTopic() {
        append_events(*store, 300);
        relay.catch_up();
        produce_foreign(topic, topic.log(), 0, "what", "ever");
        produce_in_transaction(topic, topic.log(), 0, 40, true);
        const auto records = raw();
        produce_again(topic, topic.log(), 0, {records.begin() + 100, records.begin() + 300});
        append_events(*store, 300);
        append_events(*store, 1, 1, "rare");
        relay.catch_up();
    }
    std::vector<RawRecord> raw() { return read_raw(topic, topic.log(), 0); }
    std::string position_at(std::int64_t offset) {
        for (const RawRecord& record : raw()) {
            if (record.offset == offset) return record.header("recount-position");
        }
        return "nothing";
    }
    std::int64_t place_of(std::int64_t n) {
        for (const RawRecord& record : raw()) {
            if (record.header("recount-position") == "0:" + std::to_string(n)) return record.offset;
        }
        return -1;
    }
    /// Another process reads on behind `n`, told that it was at `place`; nothing: it is told none.
    void expect_read_on(std::int64_t n, std::optional<std::int64_t> place) {
        KafkaLog log{{.topic = topic}};
        if (place) log.remember({zero, n}, *place);
        const auto page = log.read(zero, n, {.max_events = 5});
        const auto expected = store->read(zero, n, {.max_events = 5});
        ASSERT_EQ(page.events.size(), expected.events.size()) << n;
        for (std::size_t index = 0; index < page.events.size(); ++index) {
            EXPECT_EQ(page.events[index].hash, expected.events[index].hash) << n;
        }
    }
};

TEST_F(AnUnevenTopic, SaysWhereEachPageEnded) {
    for (const ReadLog& options :
         {ReadLog{.max_events = 90}, ReadLog{.max_bytes = 5000},
          ReadLog{.filter = {.categories = {"rare"}}, .max_scanned = 110},
          ReadLog{.max_events = 7, .filter = {.categories = {"thing"}}, .max_scanned = 60}}) {
        KafkaLog log{{.topic = topic}};
        for (LogPage page; !page.end;) {
            page = log.read(zero, page.upto, options);
            ASSERT_TRUE(page.place);
            EXPECT_EQ(position_at(*page.place), "0:" + std::to_string(page.upto));
        }
    }
    const auto three = [&](std::int64_t after, const ReadLog&) {
        LogPage page = store->read(zero, after, {.max_events = 3});
        page.place = 1000 + page.upto;
        return page;
    };
    for (std::size_t bytes = 200; bytes < 2000; bytes += 100) {
        const LogPage page =
            filter_pages(0, {.max_bytes = bytes, .filter = {.categories = {"thing"}}}, three);
        const bool between = page.upto % 3 == 0;  // else where it ended was not told
        EXPECT_EQ(page.place.value_or(-1), between ? 1000 + page.upto : -1);
    }
    KafkaLog log{{.topic = topic}};
    EXPECT_EQ(log.read(zero, 601).place, place_of(601)) << "of the position behind which it ended";
    EXPECT_FALSE(store->read(zero, 0).place) << "a store needs none";
}

TEST_F(AnUnevenTopic, IsNotSearchedByOneWhoRemembers) {
    std::map<std::int64_t, std::int64_t> places;
    {
        KafkaLog log{{.topic = topic}};
        for (LogPage page; !page.end;) {
            page = log.read(zero, page.upto, {.max_events = 50});
            places[page.upto] = page.place.value();
        }
    }
    EXPECT_EQ(searches(topic), 0) << "at the beginning there is nothing to search";
    for (const auto& [n, place] : places) expect_read_on(n, place);
    EXPECT_EQ(searches(topic), 0);
    expect_read_on(450, std::nullopt);
    EXPECT_EQ(searches(topic), 1);
}

TEST_F(AnUnevenTopic, IsNotSearchedToWaitForWhatComes) {
    KafkaLog log{{.topic = topic}};
    log.remember({zero, 601}, place_of(601));
    Positions seen{1};
    seen.set({zero, 601});
    EXPECT_FALSE(log.wait(seen, Duration::zero()));
    append_events(*store, 1);
    relay.catch_up();
    EXPECT_TRUE(log.wait(seen, std::chrono::seconds{20}));
    EXPECT_EQ(log.read(zero, 601).upto, 602);
    EXPECT_EQ(searches(topic), 0);
}

TEST_F(AnUnevenTopic, IsFetchedFromWhereOneWasBeforeOneReads) {
    const TapeWorld world{store->identity(),
                          store->incarnations(),
                          nullptr,
                          Environment::system(),
                          std::chrono::seconds{10},
                          [](const std::string&) {},
                          Environment::system().metrics.counter("recount_log_searches_total", "",
                                                                {{"topic", topic.name}})};
    for (const bool that_one : {true, false}) {
        kafka::Reader reader{kafka::client_settings(topic), topic.log()};
        KnownPlaces known;
        Tape tape{reader, world, zero, known};
        tape.remember(400, place_of(400));
        EXPECT_TRUE(eventually([&] { return reader.fetched_high(0) > 0; }));
        tape.remember(200, place_of(200));  // of another view
        for (const std::int64_t n : that_one ? std::vector<std::int64_t>{400, 200, 400}
                                             : std::vector<std::int64_t>{200, 400}) {
            EXPECT_EQ(tape.read(n, {.max_events = 5}, -1).events.back().at.position.n, n + 5);
        }
    }
    EXPECT_EQ(searches(topic), 0);
}

TEST_F(AnUnevenTopic, IsReadOnWhateverIsRememberedMeanwhile) {
    KafkaLog log{{.topic = topic, .store = store.get()}};
    log.read(zero, 0, {.max_events = 100});
    log.remember({zero, 590}, place_of(590));
    const auto page = log.read(zero, 100, {.max_events = 5});
    EXPECT_EQ(page.upto, 105);
    EXPECT_EQ(page.place, place_of(105)) << "it left its place, and the store filled the gap";
}

TEST_F(AnUnevenTopic, IsSearchedWhenWhatIsRememberedIsWrong) {
    const std::int64_t right = place_of(200);
    const std::int64_t end = raw().back().offset + 1;
    for (const std::int64_t wrong :
         {right - 1, right + 1, std::int64_t{0}, place_of(300) + 1, end - 1, end, end + 1000,
          std::int64_t{-1}, std::int64_t{-2}, std::int64_t{-1000}, std::int64_t{-2005},
          std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::max() - 1}) {
        const double before = searches(topic);
        expect_read_on(200, wrong);
        EXPECT_EQ(searches(topic), before + 1) << wrong;
    }
    const double before = searches(topic);
    for (const RawRecord& record : raw()) {  // any copy of it will do
        if (record.header("recount-position") == "0:200") expect_read_on(200, record.offset);
    }
    EXPECT_EQ(searches(topic), before);
    KafkaLog log{{.topic = topic}};
    log.remember({Partition{1}, 200}, right);  // which it does not have
    log.remember({Partition{-1}, 200}, right);
    log.remember({zero, 0}, right);
    EXPECT_EQ(log.read(zero, 0, {.max_events = 1}).upto, 1);
}

TEST_F(AnUnevenTopic, IsSearchedWhenAnotherEventIsAtTheRememberedPlace) {
    KafkaLog log{{.topic = topic}};
    log.read(zero, 0, {.max_events = 400});
    auto records = raw();
    for (auto& [name, value] : records[199].headers) {
        if (name == "recount-hash") value = std::string(64, 'a');
    }
    produce_again(topic, topic.log(), 0, {records[199]});
    log.remember({zero, 200}, raw().back().offset);
    EXPECT_EQ(log.read(zero, 200, {.max_events = 5}).upto, 205);
    EXPECT_EQ(searches(topic), 1);
}

TEST_F(AnUnevenTopic, IsSearchedWhenThePlaceWasDeleted) {
    const std::int64_t place = place_of(100);
    delete_records(topic, topic.log(), 0, place + 50);
    KafkaLog log{{.topic = topic, .store = store.get()}};
    log.remember({zero, 100}, place);
    EXPECT_EQ(log.read(zero, 100, {.max_events = 5}).upto, 105);
    EXPECT_EQ(searches(topic), 1);
}

TEST_F(AnUnevenTopic, IsSearchedWhenItWasMadeAnew) {
    const std::int64_t place = place_of(500);
    KafkaLog reading{{.topic = topic}};
    reading.remember({zero, 500}, place);
    EXPECT_EQ(reading.read(zero, 500, {.max_events = 5}).upto, 505);
    delete_topic(topic, topic.log());
    create_topics(topic, {.partitions = 1});
    Relay anew{*store, {.topic = topic}};
    append_events(*store, 200);
    anew.catch_up();
    ASSERT_NE(position_at(place), "0:500");
    expect_read_on(500, place);
    EXPECT_EQ(searches(topic), 1);
}

/// A view of the events of a topic.
struct AViewOfATopic : testing::Test {
    projections::World world{"sqlite"};
    KafkaTopic topic = own_topic_for(world.store());
    Relay relay{world.store(), {.topic = topic}};

    void publish(int appends) {
        for (int number = 0; number < appends; ++number) {
            world.append("cart-" + std::to_string(number % 20), projections::added("mug"));
        }
        relay.catch_up();
    }
    /// A log as another process opens it.
    std::unique_ptr<KafkaLog> log() {
        return std::make_unique<KafkaLog>(KafkaLogOptions{.topic = topic, .store = &world.store()});
    }
    using Projecting = Projector<projections::Carts, projections::Skus>;
    ProjectorOptions options{.views = world.url(), .page_events = 64};
};

/// Without the store, and with a relay that ended: nobody says how far the log has come.
TEST_F(AViewOfATopic, IsToldWhatIsThereWhileItsRelayIsSilent) {
    publish(150);
    KafkaLog log{{.topic = topic, .silence = std::chrono::milliseconds{1}}};
    Projecting projector{log, options};
    try {
        projector.catch_up();
        ADD_FAILURE() << "it was there";
    } catch (const Unavailable& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("start the relay"));
    }
    EXPECT_EQ(projections::rows<projections::Carts>(world.store()),
              projections::pure_carts(world.store()));
    const auto read = View<projections::Carts>{log, {.views = options.views}}.get("1");
    EXPECT_TRUE(read);
    EXPECT_TRUE(read.stale);
    EXPECT_FALSE(read.lag.events);
}

TEST_F(AViewOfATopic, GoesOnWhereItWasWithoutASearch) {
    for (int start = 0; start < 3; ++start) {
        const auto log = this->log();
        Projecting projector{*log, options};
        publish(150);
        projector.catch_up();
        EXPECT_EQ(projections::rows<projections::Carts>(world.store()),
                  projections::pure_carts(world.store()));
    }
    EXPECT_EQ(searches(topic), 0);
}

TEST_F(AViewOfATopic, WaitsForWhatComesWithoutASearch) {
    publish(150);
    { Projecting{*log(), options}.catch_up(); }
    const auto log = this->log();
    Projecting projector{*log, options};
    auto running = world.store().environment().scheduler.spawn(
        "projector", [&](std::stop_token stop) { projector.run(stop); });
    publish(50);
    EXPECT_TRUE(eventually([&] {
        return projections::rows<projections::Carts>(world.store()) ==
               projections::pure_carts(world.store());
    }));
    running->request_stop();
    running->join();
    EXPECT_EQ(searches(topic), 0);
}

}  // namespace
}  // namespace recount::test
