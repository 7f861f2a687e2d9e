#include <recount/core/error.hpp>
#include <recount/eventstore/log.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace recount::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

Uuid uuid(std::uint8_t fill) {
    Uuid uuid;
    uuid.bytes.fill(fill);
    return uuid;
}

/// A history that left its parent behind the n-th event of partition 0, whose hash that was.
Incarnation forked_at(std::uint8_t id, std::int64_t n, const Hash& hash = {}) {
    Incarnation incarnation;
    incarnation.id = uuid(id);
    incarnation.forks = {{n, hash, {}}};
    return incarnation;
}

RecordedEvent event_after(std::int64_t n, const Hash& before) {
    RecordedEvent event;
    event.at.position = {Partition{0}, n + 1};
    event.at.stream = StreamName::parse("cart-1");
    event.salt = "salt";
    event.payload = "payload " + std::to_string(n);
    event.at.payload_digest = payload_digest(event.salt, *event.payload);
    event.envelope = encode(event.at);
    event.hash = chain_hash(event.at.position, before, event.envelope);
    return event;
}

const Uuid store = uuid(1);

TEST(AChain, HoldsFromItsOrigin) {
    const std::vector<Incarnation> incarnations{forked_at(2, 0)};
    const RecordedEvent first = event_after(0, incarnations[0].origin(store, Partition{0}));
    const RecordedEvent second = event_after(1, first.hash);
    ChainCheck chain{Partition{0}, 0, {}};
    chain.next(first, store, incarnations);
    chain.next(second, store, incarnations);
    EXPECT_EQ(chain.n(), 2);
    EXPECT_EQ(chain.hash(), second.hash);
}

TEST(AChain, DoesNotBeginWithAnotherStore) {
    const std::vector<Incarnation> incarnations{forked_at(2, 0)};
    const RecordedEvent first = event_after(0, incarnations[0].origin(store, Partition{0}));
    ChainCheck chain{Partition{0}, 0, {}};
    EXPECT_THROW(chain.next(first, uuid(9), incarnations), Divergence);
    ChainCheck other{Partition{0}, 0, {}};
    EXPECT_THROW(other.next(first, store, {forked_at(3, 0)}), Divergence);
}

TEST(AChain, CrossesAFork) {
    const Incarnation first = forked_at(2, 0);
    const RecordedEvent one = event_after(0, first.origin(store, Partition{0}));
    const Incarnation second = forked_at(3, 1, one.hash);
    const RecordedEvent dead = event_after(1, one.hash);
    const RecordedEvent alive = event_after(1, second.origin(store, Partition{0}));
    ChainCheck chain{Partition{0}, 1, one.hash};
    EXPECT_THROW(ChainCheck{chain}.next(dead, store, {first, second}), Divergence);
    chain.next(alive, store, {first, second});
    EXPECT_EQ(chain.n(), 2);
}

TEST(AChain, DoesNotCrossAForkThatLeftBehindAnotherEvent) {
    const Incarnation first = forked_at(2, 0);
    const RecordedEvent one = event_after(0, first.origin(store, Partition{0}));
    const Incarnation second = forked_at(3, 1, one.hash);
    const RecordedEvent alive = event_after(1, second.origin(store, Partition{0}));
    ChainCheck chain{Partition{0}, 1, chain_hash({Partition{0}, 1}, {}, "lost")};
    EXPECT_THAT(
        [&] {
            chain.next(alive, store, {first, second});
        },
        ThrowsMessage<Divergence>(HasSubstr(to_string(one.hash))));
}

TEST(AChain, PassesOverAForkThatAnEarlierOneMadeVoid) {
    const Incarnation first = forked_at(2, 0);
    const RecordedEvent one = event_after(0, first.origin(store, Partition{0}));
    const RecordedEvent two = event_after(1, one.hash);
    const Incarnation second = forked_at(3, 2, two.hash);  // left behind the second event …
    const Incarnation third = forked_at(4, 1, one.hash);   // … and then was restored to the first
    const std::vector<Incarnation> incarnations{first, second, third};
    const RecordedEvent again = event_after(1, third.origin(store, Partition{0}));
    const RecordedEvent next = event_after(2, again.hash);
    ChainCheck chain{Partition{0}, 1, one.hash};
    chain.next(again, store, incarnations);
    chain.next(next, store, incarnations);
    EXPECT_EQ(chain.n(), 3);
}

TEST(AChain, NamesThePositionAndWhatDoesNotFit) {
    const std::vector<Incarnation> incarnations{forked_at(2, 0)};
    const RecordedEvent first = event_after(0, incarnations[0].origin(store, Partition{0}));
    const ChainCheck behind_first{Partition{0}, 1, first.hash};
    const auto check = [&](const RecordedEvent& event) {
        ChainCheck{behind_first}.next(event, store, incarnations);
    };
    check(event_after(1, first.hash));
    const RecordedEvent skipped = event_after(2, first.hash);
    EXPECT_THAT([&] { check(skipped); },
                ThrowsMessage<Divergence>(testing::AllOf(HasSubstr("0:2"), HasSubstr("0:3"))));
    RecordedEvent rewritten = event_after(1, first.hash);
    rewritten.payload = "other";
    EXPECT_THAT([&] { check(rewritten); }, ThrowsMessage<Divergence>(HasSubstr("payload")));
    RecordedEvent relabelled = event_after(1, first.hash);
    relabelled.envelope += "x";
    EXPECT_THAT([&] { check(relabelled); }, ThrowsMessage<Divergence>(HasSubstr("hash")));
    EXPECT_THROW(check(event_after(1, Hash{})), Divergence);
}

TEST(AChain, HoldsOverAnErasedPayload) {
    const std::vector<Incarnation> incarnations{forked_at(2, 0)};
    RecordedEvent first = event_after(0, incarnations[0].origin(store, Partition{0}));
    first.payload.reset();
    first.salt.clear();
    ChainCheck chain{Partition{0}, 0, {}};
    chain.next(first, store, incarnations);
    EXPECT_EQ(chain.n(), 1);
}

TEST(PositionsThatWereSeen, HoldUpToEveryForkThatFollowed) {
    const std::vector<Incarnation> incarnations{forked_at(2, 0), forked_at(3, 10), forked_at(4, 5)};
    const auto seen = [](std::uint8_t incarnation, std::int64_t n) {
        StorePositions positions{store, uuid(incarnation), {}};
        positions.positions.raise({Partition{0}, n});
        return positions;
    };
    EXPECT_TRUE(still_holds(seen(4, 1'000), incarnations));
    EXPECT_TRUE(still_holds(seen(2, 5), incarnations));
    EXPECT_FALSE(still_holds(seen(2, 6), incarnations));
    EXPECT_TRUE(still_holds(seen(3, 5), incarnations));
    EXPECT_FALSE(still_holds(seen(3, 10), incarnations));
    EXPECT_FALSE(still_holds(seen(9, 0), incarnations));
}

}  // namespace
}  // namespace recount::test
