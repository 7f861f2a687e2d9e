#include "eventstore/postgres/own_schema.hpp"
#include "eventstore/stored_duration.hpp"

namespace recount::test {
namespace {

TEST(APostgresStoreWithEventsOfAnEarlierRevision, RecordsAChangeThatReadsThem) {
    const OwnSchema schema;
    expect_evolution_checked(schema.url());
}

TEST(APostgresStoreWithEventsOfAnEarlierRevision, RefusesAChangeThatWouldMisreadThem) {
    const OwnSchema schema;
    expect_misreading_refused(schema.url());
}

}  // namespace
}  // namespace recount::test
