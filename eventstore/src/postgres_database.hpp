#pragma once

#include <memory>
#include <string>

#include <recount/eventstore/sql.hpp>

namespace recount {

/// A schema of a PostgreSQL database; see Database. `url` is postgresql://…?schema=NAME.
std::unique_ptr<Database> open_postgres_database(const std::string& url,
                                                 const DatabaseOptions& options);

}  // namespace recount

namespace recount::postgres {

class Session;

/// What Sql promises, on a session whose transaction somebody else began and ends.
class SessionSql : public SqlTransaction {
public:
    explicit SessionSql(Session& session) : session_(session) {}

    SqlResult run(std::string_view sql, std::span<const SqlValue> arguments) override;
    void script(std::string_view sql) override;
    void write(const RowsWrite& write) override;
    SqlResult read(std::string_view table, std::span<const std::string> columns,
                   std::string_view key, std::span<const std::string> keys) override;
    void remove(std::string_view table, std::string_view key,
                std::span<const std::string> keys) override;
    [[nodiscard]] SqlDialect dialect() const override { return SqlDialect::postgresql; }
    void commit() override;

protected:
    Session& session_;
};

}  // namespace recount::postgres
