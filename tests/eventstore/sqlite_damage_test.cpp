#include <recount/core/error.hpp>

#include "eventstore/contract/store_contract.hpp"
#include "eventstore/damage_sweep.hpp"
#include "support/temporary_folder.hpp"

namespace recount::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

/// Three events of one stream, and a change made to the closed file.
class AStoreThatWasTamperedWith : public testing::Test {
protected:
    AStoreThatWasTamperedWith() {
        store_ = open_store(url_);
        static_cast<void>(store_->append(make_append("a", {write("cart-1", Expected::any(), 3)})));
        store_.reset();
    }

    /// `where` may say {2} for the second event.
    void tamper(std::string sql) {
        const std::string second =
            "partition = " + std::to_string(partition_.value) + " and position = 2";
        if (const auto at = sql.find("{2}"); at != sql.npos) sql.replace(at, 3, second);
        store_.reset();
        const auto database = Database::open(url_);
        auto transaction = database->begin(SqlMode::write);
        EXPECT_GT(transaction->exec(sql), 0) << sql;
        transaction->commit();
        store_ = open_store(url_);
    }

    void verify_names(const std::string& place) {
        EXPECT_THAT([&] { store_->verify_chain(); }, ThrowsMessage<Divergence>(HasSubstr(place)));
    }

    std::string at(int n) {
        return "position " + std::to_string(partition_.value) + ":" + std::to_string(n);
    }

    TemporaryFolder folder_;
    std::string url_ = "sqlite:" + folder_.file("store.db");
    Partition partition_ = partition_of("cart-1", 16);
    std::unique_ptr<EventStore> store_;
};

TEST(AStoreWithOneBitFlipped, NamesThePositionWhereverItIs) {
    const TemporaryFolder folder;
    DamageSweep::run("sqlite:" + folder.file("store.db"));
}

TEST_F(AStoreThatWasTamperedWith, NamesAChangedPayload) {
    tamper("update event set payload = x'00' where {2}");
    verify_names(at(2));
    EXPECT_THROW(store_->read_stream(stream("cart-1")), Divergence);
    EXPECT_THROW(store_->read(partition_, 0), Divergence);
}

TEST_F(AStoreThatWasTamperedWith, NamesAChangedSalt) {
    tamper("update event set salt = zeroblob(16) where {2}");
    verify_names(at(2));
    EXPECT_THROW(store_->read_stream(stream("cart-1")), Divergence);
}

TEST_F(AStoreThatWasTamperedWith, NamesAChangedHash) {
    tamper("update event set hash = zeroblob(32) where {2}");
    verify_names(at(2));
    EXPECT_THROW(store_->read(partition_, 0, {.filter = {.types = {"x"}}}), Divergence);
    EXPECT_THROW(store_->read(partition_, 0), Divergence);
    EXPECT_THROW(store_->read(partition_, 2), Divergence);  // the third does not follow from it
}

TEST_F(AStoreThatWasTamperedWith, NamesAChangedEnvelope) {
    tamper("update event set envelope = (select envelope from event where version = 1) where {2}");
    verify_names(at(2));
    EXPECT_THROW(store_->read_stream(stream("cart-1")), Divergence);
}

TEST_F(AStoreThatWasTamperedWith, NamesAMovedEvent) {
    tamper("update event set position = 9 where {2}");
    verify_names(at(2));
}

TEST_F(AStoreThatWasTamperedWith, NamesAnEventOfAnotherVersion) {
    tamper("update event set version = 9 where {2}");
    EXPECT_THAT([&] { store_->read_stream(stream("cart-1")); },
                ThrowsMessage<Divergence>(HasSubstr("version 2")));
}

TEST_F(AStoreThatWasTamperedWith, NamesAnEventOfAnotherStream) {
    tamper("update stream set name = 'cart-2'");
    EXPECT_THROW(store_->read_stream(stream("cart-2")), Divergence);
}

TEST_F(AStoreThatWasTamperedWith, NamesAStreamThatIsClosedWithoutItsClosing) {
    tamper("update stream set closed = 1");
    verify_names("cart-1");
}

TEST_F(AStoreThatWasTamperedWith, NamesAStreamThatIsOpenBehindItsClosing) {
    store_ = open_store(url_);
    static_cast<void>(store_->close_stream(stream("cart-1")));
    tamper("update stream set closed = 0");
    verify_names("cart-1");
}

TEST_F(AStoreThatWasTamperedWith, NamesAStreamWhoseEventsAreAllGone) {
    tamper("delete from event");
    tamper("update partition set position = 0, hash = zeroblob(32), recorded_at = 0");
    verify_names("cart-1");
}

TEST_F(AStoreThatWasTamperedWith, NamesAPartitionWithoutARow) {
    EXPECT_THROW(tamper("update partition set partition = 99 where partition = 7"), Divergence);
    EXPECT_THAT([&] { open_store(url_); }, ThrowsMessage<Divergence>(HasSubstr("partition 7")));
}

TEST_F(AStoreThatWasTamperedWith, NamesACommandWhoseOutcomeIsAnothers) {
    tamper("update outcome set command_id = 'b'");
    EXPECT_THROW(store_->find_outcome("b"), UnreadableEvent);
    EXPECT_THROW(store_->verify_chain(), UnreadableEvent);
}

TEST_F(AStoreThatWasTamperedWith, NamesARemovedEvent) {
    tamper("delete from event where {2}");
    verify_names(at(2));
    EXPECT_THROW(store_->read_stream(stream("cart-1")), Divergence);
    EXPECT_THROW(store_->read(partition_, 0, {.filter = {.types = {"x"}}}), Divergence);
    EXPECT_THROW(store_->read(partition_, 0), Divergence);
}

TEST_F(AStoreThatWasTamperedWith, NamesARemovedBeginning) {
    tamper("delete from event where position = 1");
    EXPECT_THROW(store_->read_stream(stream("cart-1")), Divergence);
    EXPECT_THAT(
        [&] {
            store_->read_stream(stream("cart-1"),
                                {.from = Version{3}, .direction = Direction::backwards});
        },
        ThrowsMessage<Divergence>(HasSubstr("lacks version 1")));
}

TEST_F(AStoreThatWasTamperedWith, NamesALostEnd) {
    tamper("delete from event where position > 1");
    verify_names(at(1));
    EXPECT_THROW(store_->read(partition_, 3), Divergence);
}

TEST_F(AStoreThatWasTamperedWith, NamesAHeadThatIsNotThatOfItsEvents) {
    tamper("update partition set hash = zeroblob(32) where position = 3");
    verify_names(at(3));
}

TEST_F(AStoreThatWasTamperedWith, NamesAHeadThatLiesBeforeItsEvents) {
    tamper("update partition set position = 2 where position = 3");
    verify_names(at(3));
}

TEST_F(AStoreThatWasTamperedWith, TakesNothingBehindAHeadThatIsNotThatOfItsEvents) {
    const std::string whole =
        "update partition set position = 3, hash = (select hash from event "
        "where position = 3) where position > 0";
    for (const char* damage : {"hash = zeroblob(32)", "position = 2", "position = 9"}) {
        tamper("update partition set " + std::string{damage} + " where position = 3");
        const auto append = [&] {
            static_cast<void>(store_->append(make_append("b", {write("cart-1", Expected::any())})));
        };
        for (int i = 0; i < 2; ++i) {
            EXPECT_THAT(append, ThrowsMessage<Divergence>(HasSubstr("nothing is appended")));
        }
        tamper(whole);
        store_->verify_chain();
    }
    EXPECT_EQ(store_->append(make_append("b", {write("cart-1", Expected::exactly({3}))})).kind,
              AppendResult::Kind::committed);
    store_->verify_chain();
}

TEST_F(AStoreThatWasTamperedWith, NamesAnotherStoresEvents) {
    tamper("update store set id = zeroblob(16)");
    verify_names(at(1));
}

TEST_F(AStoreThatWasTamperedWith, StillHoldsWhenAPayloadWasErased) {
    tamper("update event set payload = null, salt = null where {2}");
    store_->verify_chain();
    const auto events = store_->read_stream(stream("cart-1")).events;
    ASSERT_EQ(events.size(), 3U);
    EXPECT_TRUE(events[1].erased());
    EXPECT_EQ(events[1].at.type, "test.Happened");
    EXPECT_FALSE(events[2].erased());
}

TEST_F(AStoreThatWasTamperedWith, CanStillBeAppendedToAndRead) {
    tamper("update event set payload = x'00' where {2}");
    const AppendResult result =
        store_->append(make_append("b", {write("cart-1", Expected::exactly({3}))}));
    EXPECT_EQ(result.kind, AppendResult::Kind::committed);
    EXPECT_EQ(store_->read_stream(stream("cart-1"), {.from = Version{3}}).events.size(), 2U);
}

}  // namespace
}  // namespace recount::test
