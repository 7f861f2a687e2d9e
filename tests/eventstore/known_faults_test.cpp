#include "known_faults.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace recount {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(AVersionKnownToBeBad, OfSqliteIsNamedWithWhatToDo) {
    EXPECT_THAT(known_faults_of_sqlite(3'006'023), IsEmpty());
    EXPECT_THAT(known_faults_of_sqlite(3'007'000), ElementsAre(HasSubstr("SQLite 3.7.0 ")));
    EXPECT_THAT(known_faults_of_sqlite(3'040'001),
                ElementsAre(AllOf(HasSubstr("SQLite 3.40.1 can corrupt"),
                                  HasSubstr("let no other program write the file"))));
    EXPECT_THAT(known_faults_of_sqlite(3'051'002), ElementsAre(HasSubstr("SQLite 3.51.2 ")));
    EXPECT_THAT(known_faults_of_sqlite(3'051'003), IsEmpty());
}

TEST(AVersionKnownToBeBad, OfPostgresqlIsNamedWithWhatToDo) {
    EXPECT_THAT(known_faults_of_postgres(130'021), IsEmpty());
    EXPECT_THAT(known_faults_of_postgres(140'000), ElementsAre(HasSubstr("PostgreSQL 14.0 ")));
    EXPECT_THAT(known_faults_of_postgres(140'003),
                ElementsAre(AllOf(HasSubstr("PostgreSQL 14.3 can leave rows out of an index"),
                                  HasSubstr("Upgrade the server, then REINDEX"))));
    EXPECT_THAT(known_faults_of_postgres(140'004), IsEmpty());
    EXPECT_THAT(known_faults_of_postgres(150'018), IsEmpty());
}

}  // namespace
}  // namespace recount
