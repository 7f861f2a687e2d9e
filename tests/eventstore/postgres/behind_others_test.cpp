#include <recount/core/error.hpp>
#include <recount/eventstore.hpp>

#include <gtest/gtest.h>

#include "eventstore/postgres/appends.hpp"
#include "eventstore/postgres/own_schema.hpp"
#include "support/tcp_proxy.hpp"

#include <map>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace recount::test {
namespace {

using Kind = AppendResult::Kind;

constexpr Partition place{3};

/// Two processes write single events to streams of their own in one partition.
class BehindOthers : public testing::Test {
protected:
    BehindOthers()
        : proxy_(port_of(postgres_url())),
          theirs_(open_store(schema_.url())),
          ours_(open_store(proxy_.url_through(schema_.url()))) {
        for (int i = 0; i < 2; ++i) {  // the second guess is wrong
            next(*theirs_, their_stream_);
            next(*ours_, our_stream_);
        }
    }

    Append next_of(const std::string& stream) {
        const std::int64_t before = versions_[stream]++;
        return append_to(stream,
                         before == 0 ? Expected::no_stream() : Expected::exactly(Version{before}));
    }
    void next(EventStore& store, const std::string& stream) {
        EXPECT_EQ(store.append(next_of(stream)).kind, Kind::committed);
    }
    /// How often the server was asked to give an event its place, and how often something began a
    /// transaction.
    std::pair<int, int> placed_and_begun() {
        std::pair<int, int> counts{0, 0};
        for (const auto& [sql, times] : proxy_.statements()) {
            if (sql.find("int8send") != std::string::npos) counts.first += times;
            if (sql == "begin") counts.second += times;
        }
        return counts;
    }
    void by_one_statement(const Append& append) {
        const auto before = placed_and_begun();
        EXPECT_EQ(ours_->append(append).kind, Kind::committed);
        const auto after = placed_and_begun();
        EXPECT_EQ(after.first, before.first + 1);
        EXPECT_EQ(after.second, before.second);
    }
    std::string fresh_stream() {
        for (int n = 0;; ++n) {
            std::string stream = "new-" + std::to_string(n);
            const bool there = partition_of(StreamName::parse(stream), 16) == place;
            if (there && !versions_.contains(stream)) return stream;
        }
    }
    RecordedEvent last_of(const std::string& stream) {
        return theirs_->read_stream(StreamName::parse(stream)).events.back();
    }
    OwnSchema schema_;
    TcpProxy proxy_;
    std::unique_ptr<EventStore> theirs_, ours_;
    const std::string our_stream_ = stream_in(place);
    const std::string their_stream_ = stream_in(place, 16, our_stream_);
    std::map<std::string, std::int64_t> versions_;
};

TEST_F(BehindOthers, AnEventIsWrittenByOneStatement) {
    for (int i = 0; i < 5; ++i) {
        next(*theirs_, their_stream_);
        by_one_statement(next_of(our_stream_));
        next(*theirs_, their_stream_);
        by_one_statement(next_of(fresh_stream()));
    }
    theirs_->verify_chain();
}

TEST_F(BehindOthers, TheVerdictSaysWhereItIs) {
    for (int i = 0; i < 3; ++i) {
        next(*theirs_, their_stream_);
        const Append append = next_of(our_stream_);
        const AppendResult result = ours_->append(append);
        const RecordedEvent event = last_of(our_stream_);
        EXPECT_EQ(result.outcome->streams.front().first_position, event.at.position);
        EXPECT_EQ(result.outcome->reached.positions[place], event.at.position.n);
        EXPECT_EQ(theirs_->find_outcome(append.metadata.command_id), result.outcome);
        EXPECT_EQ(ours_->append(append).outcome, result.outcome) << "repeated";
    }
}

TEST_F(BehindOthers, ACommandThatHappenedIsRepeated) {
    const Append append = next_of(our_stream_);
    const AppendResult first = theirs_->append(append);
    const AppendResult again = ours_->append(append);
    EXPECT_EQ(again.kind, Kind::repeated);
    EXPECT_EQ(again.outcome, first.outcome);
    theirs_->verify_chain();
}

TEST_F(BehindOthers, ACommandIsRepeatedWhateverStringsAreByDefault) {
    const auto odd = open_store(schema_.url() + "&options=-c%20standard_conforming_strings%3Doff");
    const std::string stream = fresh_stream();
    for (int i = 0; i < 3; ++i) {
        next(*theirs_, their_stream_);
        const Append append = next_of(stream);
        ASSERT_EQ(odd->append(append).kind, Kind::committed);
        EXPECT_EQ(odd->append(append).kind, Kind::repeated);
    }
    theirs_->verify_chain();
}

TEST_F(BehindOthers, AStreamIsClosedForGood) {
    const auto stream = StreamName::parse(our_stream_);
    const Expected expected = Expected::exactly(Version{versions_[our_stream_]++});
    EXPECT_EQ(
        ours_->close_stream(stream, {.command_id = to_string(new_uuid7())}, "done", expected).kind,
        Kind::committed);
    EXPECT_THROW(static_cast<void>(ours_->append(next_of(our_stream_))), StreamClosed);
}

TEST_F(BehindOthers, TimeDoesNotGoBack) {
    // Another's clock may be ahead.
    schema_.change(
        "update partition set recorded_at = recorded_at + 3600000000 where partition = 3");
    const auto database = Database::open(schema_.url());
    const std::int64_t ahead = database->begin(SqlMode::snapshot)
                                   ->query("select recorded_at from partition where partition = 3")
                                   .integer(0, 0);
    for (int i = 0; i < 3; ++i) {
        next(*ours_, our_stream_);
        EXPECT_GE(last_of(our_stream_).at.recorded_at.time_since_epoch().count(), ahead);
    }
}

TEST_F(BehindOthers, AnEarlierEndIsADivergence) {
    next(*ours_, our_stream_);
    // As after a restore to just before that.
    schema_.change(
        "delete from event where (partition, position) in "
        "(select partition, position from partition where partition = 3);"
        "update partition p set position = e.position, hash = e.hash from event e "
        "where p.partition = 3 and e.partition = 3 and e.position = p.position - 1;"
        "update stream set version = version - 1 where name = '" +
        our_stream_ + "'");
    versions_[our_stream_] -= 1;
    EXPECT_THROW(static_cast<void>(ours_->append(next_of(our_stream_))), Divergence);
}

TEST_F(BehindOthers, WhatCannotBePlacedLocksForAWhile) {
    schema_.change(
        "update partition set recorded_at = recorded_at + 3600000000 where partition = 3");
    const auto placed_of = [this](int appends) {
        const int before = placed_and_begun().first;
        for (int i = 0; i < appends; ++i) {
            next(*theirs_, their_stream_);
            next(*ours_, our_stream_);
        }
        return placed_and_begun().first - before;
    };
    EXPECT_EQ(placed_of(1), 3) << "it was too early, however often";
    EXPECT_EQ(placed_of(7), 0);
    EXPECT_GT(placed_of(3), 0) << "it tries again";
    theirs_->verify_chain();
}

TEST_F(BehindOthers, AStreamThatOthersMovedIsLockedForAWhile) {
    next(*theirs_, our_stream_);
    const auto behind = Expected::exactly(Version{1});
    EXPECT_EQ(ours_->append(append_to(our_stream_, behind)).kind, Kind::conflict);
    next(*theirs_, their_stream_);
    const int before = placed_and_begun().first;
    EXPECT_EQ(ours_->append(append_to(our_stream_, behind)).kind, Kind::conflict);
    EXPECT_EQ(placed_and_begun().first, before);
    by_one_statement(next_of(fresh_stream()));
}

TEST_F(BehindOthers, AStreamThatIsThereIsNotBegunAgain) {
    const int before = placed_and_begun().first;
    const auto result = ours_->append(append_to(their_stream_, Expected::no_stream()));
    EXPECT_EQ(placed_and_begun().first, before + 1);
    ASSERT_EQ(result.kind, Kind::conflict);
    EXPECT_EQ(result.conflict.failed.front().actual, Version{versions_[their_stream_]});
}

TEST_F(BehindOthers, NothingIsTriedThatIsKnownToConflict) {
    theirs_.reset();
    for (int i = 0; i < 5; ++i) next(*ours_, our_stream_);  // nobody else writes now
    const int before = placed_and_begun().first;
    const auto behind = Expected::exactly(Version{1});
    EXPECT_EQ(ours_->append(append_to(our_stream_, behind)).kind, Kind::conflict);
    EXPECT_EQ(placed_and_begun().first, before);
}

TEST_F(BehindOthers, VersionsOfOtherStreamsAreForgotten) {
    const std::string checked = fresh_stream();
    next(*ours_, checked);
    const auto of_checked = [&] {
        Append append = append_to(our_stream_);
        append.checks.push_back({StreamName::parse(checked), Expected::exactly(Version{1})});
        append.request = request_hash(append);
        return append;
    };
    EXPECT_EQ(ours_->append(of_checked()).kind, Kind::committed);  // and now it remembers
    ++versions_[our_stream_];
    next(*theirs_, checked);
    for (int i = 0; i < 5; ++i) next(*ours_, our_stream_);  // the first behind what it did not see
    EXPECT_EQ(ours_->append(of_checked()).kind, Kind::conflict);
}

/// A store that was declared restored, in which nothing was written since: what is first in a
/// partition does not follow from the hash that the partition ends with.
TEST_F(BehindOthers, TheFirstEventBehindAForkFollowsFromTheFork) {
    ours_.reset();
    theirs_.reset();
    declare_restored(schema_.url());
    ours_ = open_store(proxy_.url_through(schema_.url()));
    // Under locks it learns the end; then a wrong guess of a version makes it think of others.
    const auto wrong = Expected::exactly(Version{9});
    EXPECT_EQ(ours_->append(append_to(fresh_stream(), wrong)).kind, Kind::conflict);
    ++versions_[fresh_stream()];
    EXPECT_EQ(ours_->append(append_to(fresh_stream(), wrong)).kind, Kind::conflict);
    next(*ours_, our_stream_);
    ours_->verify_chain();
}

/// By one statement, by another, under locks, alone or together, as it comes.
TEST(FewWritersOfSeveralProcesses, WriteEachEventWhereTheirVerdictSays) {
    constexpr int processes = 3, writers = 2, appends = 40;
    const OwnSchema schema;
    std::vector<std::unique_ptr<EventStore>> stores;
    for (int i = 0; i < processes; ++i) stores.push_back(open_store(schema.url()));
    std::vector<std::vector<StreamAppended>> written(processes * writers);
    {
        std::vector<std::jthread> threads;
        for (std::size_t writer = 0; writer < written.size(); ++writer) {
            threads.emplace_back([&, writer] {
                const auto number = std::to_string(writer);
                const std::string stream =
                    stream_in(Partition{writer < 2 ? 3 : 5}, 16, "", "cart-" + number + ".");
                for (std::int64_t n = 0; n < appends; ++n) {
                    const auto result = stores[writer % processes]->append(
                        append_to(stream, Expected::exactly(Version{n})));
                    ASSERT_EQ(result.kind, Kind::committed);
                    written[writer].push_back(result.outcome->streams.front());
                }
            });
        }
    }
    std::set<Position> taken;
    for (const auto& of_writer : written) {
        const auto page = stores.front()->read_stream(of_writer.front().stream);
        ASSERT_EQ(page.events.size(), of_writer.size());
        for (std::size_t i = 0; i < of_writer.size(); ++i) {
            EXPECT_EQ(page.events[i].at.position, of_writer[i].first_position);
            EXPECT_TRUE(taken.insert(of_writer[i].first_position).second);
        }
    }
    EXPECT_EQ(taken.size(), processes * writers * appends);
    stores.front()->verify_chain();
}

}  // namespace
}  // namespace recount::test
