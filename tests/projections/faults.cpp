#include "faults.hpp"

#include <recount/core/error.hpp>

namespace recount::test::projections {

bool Faults::step() {
    if (lost) throw Unavailable("the database is lost; mend it");
    if (steps++ != lost_at) return false;
    lost = true;
    if (!after_commit) throw Unavailable("the database was lost; mend it");
    return true;
}

namespace {

class FaultyTransaction : public SqlTransaction {
    template <class Run>
    auto after(Run&& run) {
        const bool lose = faults_->step();
        auto result = run();
        if (lose) throw Unavailable("the database was lost; mend it");
        return result;
    }

public:
    FaultyTransaction(std::unique_ptr<SqlTransaction> real, std::shared_ptr<Faults> faults)
        : real_(std::move(real)), faults_(std::move(faults)) {}
    ~FaultyTransaction() override {
        real_.reset();
        const auto then = faults_->after_transaction;  // it may replace itself
        then();
    }

    SqlResult run(std::string_view sql, std::span<const SqlValue> arguments) override {
        faults_->before_run(sql);
        return after([&] { return real_->run(sql, arguments); });
    }
    void script(std::string_view sql) override {
        after([&] { return real_->script(sql), 0; });
    }
    void write(const RowsWrite& write) override {
        after([&] { return real_->write(write), 0; });
    }
    SqlResult read(std::string_view table, std::span<const std::string> columns,
                   std::string_view key, std::span<const std::string> keys) override {
        return after([&] { return real_->read(table, columns, key, keys); });
    }
    void remove(std::string_view table, std::string_view key,
                std::span<const std::string> keys) override {
        after([&] { return real_->remove(table, key, keys), 0; });
    }
    [[nodiscard]] SqlDialect dialect() const override { return real_->dialect(); }
    void commit() override {
        const bool lose = faults_->step();
        faults_->before_commit();
        real_->commit();
        if (lose) throw OutcomeUnknown("the database was lost while it committed; mend it");
    }

private:
    std::unique_ptr<SqlTransaction> real_;
    std::shared_ptr<Faults> faults_;
};

class FaultyDatabase : public Database {
public:
    FaultyDatabase(std::unique_ptr<Database> real, std::shared_ptr<Faults> faults)
        : real_(std::move(real)), faults_(std::move(faults)) {}
    std::unique_ptr<SqlTransaction> begin(SqlMode mode) override {
        faults_->step();
        faults_->before_begin();
        return std::make_unique<FaultyTransaction>(real_->begin(mode), faults_);
    }
    [[nodiscard]] SqlDialect dialect() const override { return real_->dialect(); }
    [[nodiscard]] const std::string& name() const override { return real_->name(); }

private:
    std::unique_ptr<Database> real_;
    std::shared_ptr<Faults> faults_;
};

}  // namespace

OpenDatabase faulty(std::shared_ptr<Faults> faults) {
    return [faults](const std::string& url, const DatabaseOptions& options) {
        return std::make_unique<FaultyDatabase>(Database::open(url, options), faults);
    };
}

}  // namespace recount::test::projections
