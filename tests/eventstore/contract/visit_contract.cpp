#include "eventstore/contract/store_contract.hpp"

#include <limits>
#include <stdexcept>

namespace recount::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// What a visit gives, as long as it is wanted.
std::vector<RecordedEvent> visited(EventStore& store, std::int64_t from, std::size_t page,
                                   std::size_t wanted = 1000) {
    std::vector<RecordedEvent> events;
    store.visit_stream(stream("cart-1"), Version{from}, page, [&](const RecordedEvent& event) {
        events.push_back(event);
        return events.size() < wanted;
    });
    return events;
}

void expect_same(const std::vector<RecordedEvent>& found, const std::vector<RecordedEvent>& read) {
    ASSERT_EQ(found.size(), read.size());
    for (std::size_t i = 0; i < read.size(); ++i) {
        EXPECT_EQ(found[i].envelope, read[i].envelope);
        EXPECT_EQ(encode(found[i].at), encode(read[i].at));
        EXPECT_EQ(found[i].at.position, read[i].at.position);
        EXPECT_EQ(found[i].hash, read[i].hash);
        EXPECT_EQ(found[i].salt, read[i].salt);
        EXPECT_EQ(found[i].payload, read[i].payload);
    }
}

/// Neighbours that differ in whatever an event has or has not.
void add_unlike(EventStore& store) {
    for (int i = 0; i < 3; ++i) {
        Append append = make_append("unlike-" + std::to_string(i), {write("cart-1")});
        append.writes[0].events = {event(std::string(500, 'x'), "test.Long"), event("")};
        if (i == 1) {
            append.metadata.headers = {{"a", "1"}, {"b", ""}};
            append.metadata.correlation_id = "correlation";
            append.metadata.causation_id = "causation";
        }
        append.request = request_hash(append);
        static_cast<void>(store.append(append));
    }
    store.erase(stream("cart-1"), Version{3}, Version{4});
}

TEST_P(LogContract, VisitsAStreamToItsEndWhateverThePage) {
    add_unlike(store());
    add("stock-1", 3);
    add("cart-1", 5);
    reopen();
    const auto read = read_all("cart-1");
    ASSERT_EQ(read.size(), 11U);
    for (const std::size_t page : {1, 2, 5, 10, 11, 12, 1000}) {
        expect_same(visited(store(), 1, page), read);
        expect_same(visited(store(), 0, page), read);
        expect_same(visited(store(), 10, page), {read.begin() + 9, read.end()});
        EXPECT_THAT(visited(store(), 12, page), IsEmpty());
        EXPECT_THAT(visited(store(), 100, page), IsEmpty());
        EXPECT_THAT(visited(store(), std::numeric_limits<std::int64_t>::max(), page), IsEmpty());
    }
    expect_same(visited(store(), 1, 0), read);
    store().visit_stream(stream("cart-9"), Version{1}, 10, [](const RecordedEvent&) {
        ADD_FAILURE() << "there is no such stream";
        return true;
    });
}

TEST_P(LogContract, VisitsOnlyWhatIsWanted) {
    add("cart-1", 5);
    EXPECT_THAT(versions(visited(store(), 1, 1000, 1)), ElementsAre(1));
    EXPECT_THAT(versions(visited(store(), 1, 2, 3)), ElementsAre(1, 2, 3));
    EXPECT_THAT(versions(visited(store(), 1, 2, 4)), ElementsAre(1, 2, 3, 4));
    EXPECT_THAT(versions(visited(store(), 1, 5, 5)), ElementsAre(1, 2, 3, 4, 5));
}

TEST_P(LogContract, PassesOnWhatAVisitorThrows) {
    add("cart-1", 20);
    const auto fail_at = [&](std::int64_t version) {
        store().visit_stream(stream("cart-1"), Version{1}, 8, [&](const RecordedEvent& event) {
            if (event.at.version.value == version) throw std::runtime_error("unlucky");
            EXPECT_LT(event.at.version.value, version) << "nothing behind it";
            return true;
        });
    };
    for (const std::int64_t version : {1, 3, 8, 9, 20}) {
        EXPECT_THROW(fail_at(version), std::runtime_error);
        EXPECT_EQ(visited(store(), 1, 1000).size(), 20U);
    }
    add("cart-1");
}

}  // namespace
}  // namespace recount::test
