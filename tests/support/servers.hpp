#pragma once

#include <string>
#include <string_view>

namespace recount::test {

/// The PostgreSQL that RECOUNT_TEST_POSTGRES names, as ./dev services starts it:
/// postgresql://user:password@host:port/database. Throws std::runtime_error that says what to do
/// when there is none, so that a test without its server fails instead of passing unseen.
std::string postgres_url();

/// The same, with `?schema=` and a name that no other test uses.
std::string postgres_url_with_own_schema();

/// The Kafka broker that RECOUNT_TEST_KAFKA names, host:port. Throws like postgres_url().
std::string kafka_brokers();

/// `prefix` and 16 random hex digits: for topics, schemas and groups.
std::string unique_name(std::string_view prefix);

}  // namespace recount::test
