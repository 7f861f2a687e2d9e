#include <recount/core/error.hpp>
#include <recount/eventstore.hpp>
#include <recount/eventstore/postgres.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pqxx/pqxx>

#include "eventstore/damage_sweep.hpp"
#include "eventstore/postgres/appends.hpp"
#include "eventstore/postgres/own_schema.hpp"

namespace recount::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

/// What somebody did to the third of five events, past the store, and what names it.
struct Damage {
    std::string name;
    std::string sql;
    std::string found;
};

std::ostream& operator<<(std::ostream& out, const Damage& damage) { return out << damage.name; }

class DamagedLog : public testing::TestWithParam<Damage> {
protected:
    DamagedLog() : store_(open_store(schema_.url())), partition_(partition_of("cart-1", 16)) {
        static_cast<void>(store_->append(append_to("cart-1", Expected::no_stream(), 5)));
        const auto database = Database::open(schema_.url());
        const auto transaction = database->begin(SqlMode::write);
        transaction->exec(GetParam().sql, partition_.value);
        transaction->commit();
    }

    template <class Read>
    void expect_named(const Read& read) {
        try {
            read();
            ADD_FAILURE() << "the damage was not noticed";
        } catch (const Error& error) {
            EXPECT_THAT(error.what(), HasSubstr(GetParam().found));
            EXPECT_FALSE(error.retryable());
        }
    }

    OwnSchema schema_;
    std::unique_ptr<EventStore> store_;
    Partition partition_;
};

TEST_P(DamagedLog, IsNamedByPositionWhenItIsRead) {
    expect_named([&] { store_->read(partition_, 0); });
}

TEST_P(DamagedLog, IsNamedByPositionWhenItIsReadWithAFilter) {
    expect_named([&] { store_->read(partition_, 0, {.filter = {.categories = {"cart"}}}); });
    const ReadLog none{.filter = {.categories = {"stock"}}};
    if (GetParam().name == "Payload" || GetParam().name == "Salt") {
        EXPECT_EQ(store_->read(partition_, 0, none).upto, 5) << "a payload that is left out";
    } else {
        expect_named([&] { store_->read(partition_, 0, none); });
    }
}

TEST_P(DamagedLog, IsNamedByPositionWhenItIsVerified) {
    expect_named([&] { store_->verify_chain(); });
}

std::string place(int position) {
    return std::to_string(partition_of("cart-1", 16).value) + ":" + std::to_string(position);
}

/// Columns beside the envelope, which only streams and heads are read by.
TEST(RowThatDoesNotFitItsEnvelope, IsNamedByWhoeverGoesByIt) {
    const auto stream = StreamName::parse("cart-1");
    const auto with = [&](const std::string& sql, const auto& look, const std::string& named,
                          int events = 5) {
        const OwnSchema schema;
        const auto store = open_store(schema.url());
        static_cast<void>(store->append(append_to("cart-1", Expected::no_stream(), events)));
        const auto database = Database::open(schema.url());
        const auto transaction = database->begin(SqlMode::write);
        EXPECT_EQ(transaction->exec(sql), 1) << sql;
        transaction->commit();
        EXPECT_THAT([&] { look(*store); }, testing::ThrowsMessage<Divergence>(HasSubstr(named)))
            << sql;
    };
    const auto read = [&](EventStore& store) { store.read_stream(stream); };
    const auto visit = [&](EventStore& store) {
        store.visit_stream(stream, Version{1}, 2, [](const RecordedEvent&) { return true; });
    };
    const auto verify = [](EventStore& store) { store.verify_chain(); };
    with("update event set version = 9 where version = 3", read, "version 3");
    with("update event set stream = 'cart-2' where version = 3", read, "version 3");
    with("update stream set version = 7", read, "version 6");
    with("update stream set version = 7", verify, "cart-1");
    with("update stream set version = 4", verify, "cart-1");
    with("update stream set version = 0", verify, "cart-1", 1);
    with("delete from stream", verify, "cart-1");
    with("delete from partition where partition = 15", verify, "15 of its 16 partitions");
    with("update stream set closed = true", verify, "cart-1");
    with("update stream set name = 'cart-2'", verify, place(1));
    with("update event set version = 9 where version = 3", verify, place(3));
    with("update event set stream = 'cart-2' where version = 3", verify, place(3));
    with("update partition set recorded_at = 7 where position = 5", verify, place(5));
    with("update event set version = 9 where version = 3", visit, "version 3");
    with("update event set stream = 'cart-2' where version = 3", visit, "version 3");
    with("update event set stream = 'cart-2' where version = 5", visit, "lacks version 5");
    with("update stream set version = 7", visit, "lacks version 6");
    with("update event set payload = 'x' where version = 3", visit, "position " + place(3));
    with("update event set envelope = 'x' where version = 3", visit, "position " + place(3));
    with("update partition set position = 7 where position = 5", verify, place(5));
    with("update partition set position = 4 where position = 5", verify, place(5));
}

TEST(HeadThatIsNotThatOfItsEvents, IsNotBuiltUpon) {
    const OwnSchema schema;
    auto store = open_store(schema.url());
    static_cast<void>(store->append(append_to("cart-1", Expected::no_stream(), 3)));
    const auto damage = [&](const std::string& change) {
        store.reset();
        const auto database = Database::open(schema.url());
        const auto transaction = database->begin(SqlMode::write);
        EXPECT_EQ(transaction->exec("update partition set " + change + " where position > 0"), 1);
        transaction->commit();
        store = open_store(schema.url());
    };
    const auto refused = ThrowsMessage<Divergence>(HasSubstr("nothing is appended"));
    for (const char* change : {"hash = sha256('')", "position = 2", "position = 9"}) {
        damage(change);
        for (int i = 0; i < 2; ++i) {
            EXPECT_THAT(
                [&] { static_cast<void>(store->append(append_to("cart-1", Expected::any()))); },
                refused);
        }
        EXPECT_THAT(
            [&] {
                pqxx::connection connection{postgres_url()};
                pqxx::work transaction{connection};
                static_cast<void>(
                    append_and_commit(transaction, *store, append_to("cart-1", Expected::any())));
            },
            refused);
        damage("position = 3, hash = (select hash from event where position = 3)");
        store->verify_chain();
    }
    static_cast<void>(store->append(append_to("cart-1", Expected::exactly(Version{3}))));
    store->verify_chain();
}

TEST(RowThatWasRemoved, IsNamedInEitherDirection) {
    const OwnSchema schema;
    const auto store = open_store(schema.url());
    static_cast<void>(store->append(append_to("cart-1", Expected::no_stream(), 10)));
    {
        const auto database = Database::open(schema.url());
        const auto transaction = database->begin(SqlMode::write);
        transaction->script("delete from event where version = 5");
        transaction->commit();
    }
    const auto lacks = ThrowsMessage<Divergence>(HasSubstr("version 5"));
    const StreamName cart = StreamName::parse("cart-1");
    EXPECT_THAT([&] { store->read_stream(cart, {.from = {5}, .max_events = 5}); }, lacks);
    const ReadStream back{.from = {5}, .max_events = 5, .direction = Direction::backwards};
    EXPECT_THAT([&] { store->read_stream(cart, back); }, lacks);
}

TEST(LogWithOneBitFlipped, IsNamedByPositionWhereverItIs) {
    const OwnSchema schema;
    DamageSweep::run(schema.url());
}

constexpr const char* third = " where partition = $1 and position = 3";

std::string change(const std::string& column) {
    return "update event set " + column + " = set_byte(" + column + ", 5, get_byte(" + column +
           ", 5) # 1)" + third;
}

INSTANTIATE_TEST_SUITE_P(
    Columns, DamagedLog,
    testing::Values(
        Damage{"Envelope", change("envelope"), place(3)}, Damage{"Hash", change("hash"), place(3)},
        Damage{"Salt", change("salt"), place(3)}, Damage{"Payload", change("payload"), place(3)},
        Damage{"Position", std::string{"update event set position = 9"} + third, place(3)},
        Damage{"Row", std::string{"delete from event"} + third, place(3)}),
    [](const testing::TestParamInfo<Damage>& tested) { return tested.param.name; });

}  // namespace
}  // namespace recount::test
