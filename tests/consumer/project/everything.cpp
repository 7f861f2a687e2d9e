#include <recount/outbox.hpp>
#include <recount/projections.hpp>
#include <recount/saga.hpp>
#include <recount/testing.hpp>
#include <recount/tools.hpp>

#include <gtest/gtest.h>

#include <iostream>

#include "parcel.hpp"

namespace parcels {

struct Addresses {
    static constexpr std::string_view name = "addresses";
    static constexpr int version = 1;
    using Row = AddressRow;
    using Event = recount::Events<Sent>;

    static void evolve(AddressRow& row, const Sent& event, const recount::Recorded&) {
        row.set_address(event.address());
    }
};

namespace {

Send send() {
    Send command;
    command.set_address("12 Mill Lane");
    return command;
}

TEST(Parcel, IsSentOnce) {
    recount::test::given<Parcel>().when(send()).then([] {
        Sent sent;
        sent.set_address("12 Mill Lane");
        return sent;
    }());
}

TEST(Everything, WorksTogether) {
    auto store = recount::open_store("memory:");
    recount::Repository<Parcel> repository{*store};
    ASSERT_TRUE(repository.handle("1", send()));

    recount::Projector<Addresses> projector{*store};
    projector.catch_up();
    EXPECT_EQ(recount::View<Addresses>{*store}.get("1").row->address(), "12 Mill Lane");

    recount::SagaEngine sagas{*store};
    sagas.catch_up();
    EXPECT_THROW(recount::create_topics({.brokers = "", .name = ""}), recount::Error);

    const char* const arguments[] = {"recount", "--help"};
    EXPECT_EQ(recount::tools::run(2, arguments, std::cout, std::cerr), recount::tools::ok);
}

}  // namespace
}  // namespace parcels
