#include "checkout.hpp"

#include <gtest/gtest.h>
#include <recount/eventstore.hpp>
#include <recount/saga/testing.hpp>
#include <recount/testing.hpp>

#include <memory>
#include <string>

#include "engines.hpp"
#include "messages.hpp"
#include "saga/watched_store.hpp"

namespace shop {
namespace {

using namespace recount::test;
using test::placed;

TEST(PlacedOrder, IsReservedChargedAndConfirmed) {
    given<Checkout>(placed())
        .then_sent("reserve/1", "reserve/2", "charge", "confirm")
        .then_before("reserve/2", "charge")
        .then_before("charge", "confirm")
        .then_ends(completed);
}

TEST(Present, IsNotCharged) {
    OrderPlaced present = placed();
    present.set_total_mills(0);
    given<Checkout>(present).then_sent("reserve/1", "reserve/2", "confirm").then_ends(completed);
}

TEST(DeclinedCard, ReleasesTheStock) {
    given<Checkout>(placed())
        .refused("charge")
        .then_undone("reserve/1", "reserve/2")
        .then_ends(compensated);
}

TEST(MissingStock, ReleasesWhatWasThere) {
    given<Checkout>(placed()).refused("reserve/2").then_undone("reserve/1").then_ends(compensated);
}

TEST(SilentBank, IsNotWaitedForByAVisitor) {
    given<Checkout>(placed())
        .answered_late("charge")
        .then_undone("reserve/1", "reserve/2", "charge")
        .then_ends(compensated);
}

/// An order of a visitor, whose checkout has ten minutes.
class OrderOfAVisitor : public testing::Test {
protected:
    OrderOfAVisitor() {
        OpenStock mugs = test::units<OpenStock>(5);
        static_cast<void>(shop_.stock.handle("mug", mugs));
        static_cast<void>(shop_.orders.handle("o-1", test::place()));
    }
    static recount::SagaProgress check_out(recount::EventStore& store) {
        Repositories shop{store};
        recount::SagaEngine sagas{store};
        add_sagas(sagas, shop);
        return sagas.catch_up();
    }
    Order::Status status() { return shop_.orders.load("o-1").state.status; }

    ManualEnvironment world_;
    std::unique_ptr<recount::EventStore> store_ =
        recount::open_store("memory:", {.partitions = 1, .environment = &world_.environment()});
    Repositories shop_{*store_};
};

TEST_F(OrderOfAVisitor, StaysConfirmedWhenTheProgramDiedJustThen) {
    using recount::saga_test::Crash;
    using recount::saga_test::WatchedStore;
    WatchedStore dying{*store_, [&](int, WatchedStore::When) {
                           if (status() == Order::Status::confirmed) throw Crash{};
                       }};
    EXPECT_THROW(check_out(dying), Crash);
    world_.advance(std::chrono::minutes{11});
    EXPECT_EQ(check_out(*store_).completed, 1);
    world_.advance(std::chrono::minutes{1});
    EXPECT_EQ(check_out(*store_).open, 0);

    EXPECT_EQ(status(), Order::Status::confirmed);
    const Payment payment = shop_.payments.load("o-1").state;
    EXPECT_EQ(payment.charged, 3001);
    EXPECT_EQ(payment.refunded, 0);
    const StockItem mugs = shop_.stock.load("mug").state;
    EXPECT_EQ(mugs.reserved.size(), 2U);
}

}  // namespace
}  // namespace shop
