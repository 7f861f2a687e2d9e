#include "handler.hpp"

#include <algorithm>
#include <exception>
#include <new>

#include <recount/core/error.hpp>
#include <recount/core/utf8.hpp>

#include "keyed_handler.hpp"
#include "statements.hpp"

namespace recount::projections {

namespace {

constexpr std::size_t max_error_bytes = 500;

Poison poison(const RecordedEvent& event, std::string_view error) {
    if (error.empty()) error = "failed";
    return {event.at.position, recordable(error, max_error_bytes)};
}

/// What a hook works with. A statement that failed fails the event, even if the hook catches the
/// error: PostgreSQL takes nothing more in such a transaction, so no store does.
class HooksSql : public Sql {
    template <class Run>
    auto noted(const Run& run) {
        try {
            return run();
        } catch (const Error& error) {
            if (!retryable_) failed_ = std::current_exception();  // what follows a loss tells less
            retryable_ = retryable_ || error.retryable();
            throw;
        }
    }

public:
    explicit HooksSql(Sql& sql) : sql_(sql) {}

    SqlResult run(std::string_view sql, std::span<const SqlValue> arguments) override {
        return noted([&] {
            check(sql);
            return sql_.run(sql, arguments);
        });
    }
    void script(std::string_view sql) override {
        noted([&] {
            check(sql);
            sql_.script(sql);
        });
    }
    void write(const RowsWrite& write) override {
        noted([&] { sql_.write(write); });
    }
    SqlResult read(std::string_view table, std::span<const std::string> columns,
                   std::string_view key, std::span<const std::string> keys) override {
        return noted([&] { return sql_.read(table, columns, key, keys); });
    }
    void remove(std::string_view table, std::string_view key,
                std::span<const std::string> keys) override {
        noted([&] { sql_.remove(table, key, keys); });
    }
    [[nodiscard]] SqlDialect dialect() const override { return sql_.dialect(); }

    /// Runs a hook; a database that was lost in it is no failure of the event, whatever it threw.
    template <class Hook>
    void watch(const Hook& hook) {
        failed_ = nullptr;
        retryable_ = false;
        try {
            hook();
        } catch (...) {
            if (retryable_) std::rethrow_exception(failed_);
            throw;
        }
        if (!failed_) return;
        if (retryable_) std::rethrow_exception(failed_);
        throw Error(
            "its hook went on after a statement had failed, which no transaction of PostgreSQL "
            "allows; write what cannot fail, as `insert … on conflict`");
    }

private:
    static void check(std::string_view sql) {
        if (!ends_transaction(sql)) return;
        throw InvalidArgument(
            "a view's hook must not begin or end a transaction: its rows are committed together "
            "with the checkpoint");
    }

    Sql& sql_;
    std::exception_ptr failed_;
    bool retryable_ = false;
};

class SqlHandler : public Handler {
public:
    explicit SqlHandler(const ViewDefinition& definition) : Handler(definition) {}

    void apply(Sql& sql, EventBatch& batch, const std::vector<std::size_t>& chosen,
               bool again) override {
        HooksSql hooks_sql{sql};
        Failures failures;
        for (const std::size_t number : chosen) {
            const RecordedEvent& event = batch.events()[number];
            if (failures.behind(event.at)) continue;
            if (again) sql.script("savepoint recount_event");
            const bool good = failures.guarded(
                event, [&] { hooks_sql.watch([&] { call(event, batch, number, hooks_sql); }); });
            if (!good && !again) break;
            if (!good) sql.script("rollback to savepoint recount_event");
            if (again) sql.script("release savepoint recount_event");
        }
        failures.raise();
    }

private:
    void call(const RecordedEvent& event, EventBatch& batch, std::size_t number, Sql& sql) const {
        if (event.erased()) {
            definition().erased->on(Erased{event.at.position, event.at.version, event.at.type},
                                    event.at, sql);
            return;
        }
        const EventHook* known = hook(event);
        known->on(batch.decoded(number, *known), event.at, sql);
    }
};

}  // namespace

bool Failures::behind(const Recorded& at) const {
    if (!any()) return false;
    const auto first = first_.find(at.stream);
    return first != first_.end() && first->second <= at.position.n;
}

void Failures::add(const RecordedEvent& event) {
    try {
        throw;
    } catch (const Error& error) {
        if (error.retryable()) throw;
        found_.push_back(poison(event, error.what()));
    } catch (const std::bad_alloc&) {
        throw;  // the machine's trouble, not the event's
    } catch (const std::exception& error) {
        found_.push_back(poison(event, error.what()));
    } catch (...) {
        found_.push_back(poison(event, "the view threw something that is no std::exception"));
    }
    const std::int64_t n = event.at.position.n;
    const auto first = first_.try_emplace(event.at.stream, n).first;
    first->second = std::min(first->second, n);
}

Handler::Handler(const ViewDefinition& definition) : definition_(definition) {
    for (const EventHook& hook : definition.events) by_type_.emplace(hook.type, &hook);
}

const EventHook* Handler::hook(const RecordedEvent& event) const {
    const auto found = by_type_.find(event.at.type);
    return found == by_type_.end() ? nullptr : found->second;
}

std::unique_ptr<Handler> Handler::make(const ViewDefinition& definition) {
    if (definition.keyed()) return std::make_unique<KeyedHandler>(definition);
    return std::make_unique<SqlHandler>(definition);
}

}  // namespace recount::projections
