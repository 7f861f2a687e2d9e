#include "checkout.hpp"

#include <gtest/gtest.h>
#include <recount/saga/testing.hpp>

#include <string>

#include "messages.hpp"

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

}  // namespace
}  // namespace shop
