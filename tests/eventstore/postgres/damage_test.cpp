#include <recount/core/error.hpp>
#include <recount/eventstore.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventstore/postgres/appends.hpp"
#include "eventstore/postgres/own_schema.hpp"

namespace recount::test {
namespace {

using testing::HasSubstr;

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
        store_->append(append_to("cart-1", Expected::no_stream(), 5));
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

TEST_P(DamagedLog, IsNamedByPositionWhenItIsVerified) {
    expect_named([&] { store_->verify_chain(); });
}

constexpr const char* third = " where partition = $1 and position = 3";

std::string change(const std::string& column) {
    return "update event set " + column + " = set_byte(" + column + ", 5, get_byte(" + column +
           ", 5) # 1)" + third;
}

std::string place(int position) {
    return std::to_string(partition_of("cart-1", 16).value) + ":" + std::to_string(position);
}

INSTANTIATE_TEST_SUITE_P(
    Columns, DamagedLog,
    testing::Values(Damage{"Envelope", change("envelope"), place(3)},
                    Damage{"Hash", change("hash"), place(3)},
                    Damage{"Salt", change("salt"), place(3)},
                    Damage{"Payload", change("payload"), place(3)},
                    Damage{"Row", std::string{"delete from event"} + third, place(3)}),
    [](const testing::TestParamInfo<Damage>& tested) { return tested.param.name; });

}  // namespace
}  // namespace recount::test
