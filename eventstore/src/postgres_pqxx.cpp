#include <recount/core/error.hpp>

#include <spdlog/fmt/fmt.h>
#include <sys/socket.h>
#include <unistd.h>
#include <pqxx/pqxx>

#include <functional>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>
#include <vector>

#include "postgres_callers.hpp"
#include "postgres_listener.hpp"

namespace recount::postgres {

namespace {

constexpr long look_for_stop_us = 50'000;
constexpr Duration pause_after_loss = std::chrono::seconds{1};
constexpr Duration pause_on_standby = std::chrono::seconds{30};

class Receiver final : public pqxx::notification_receiver {
public:
    Receiver(pqxx::connection& connection, const std::string& channel,
             const std::function<void()>& heard)
        : pqxx::notification_receiver(connection, channel), heard_(heard) {}
    void operator()(const std::string&, int) override { heard_(); }

private:
    const std::function<void()>& heard_;
};

/// A receiver says UNLISTEN as it goes, and waits for the answer without limit: it gets none, be it
/// that the server is silent.
class HangingUp {
public:
    explicit HangingUp(const pqxx::connection& connection) : connection_(connection) {}
    ~HangingUp() { ::shutdown(connection_.sock(), SHUT_RDWR); }
    HangingUp(const HangingUp&) = delete;
    HangingUp& operator=(const HangingUp&) = delete;

private:
    const pqxx::connection& connection_;
};

/// LISTEN waits for its answer without limit, too. The socket's own descriptor may be another's by
/// the time of the stop, a copy is not.
class HangingUpWhenStopped {
public:
    HangingUpWhenStopped(const pqxx::connection& connection, const std::stop_token& stop)
        : socket_(::dup(connection.sock())),
          callback_(std::in_place, stop, [this] { ::shutdown(socket_, SHUT_RDWR); }) {}
    ~HangingUpWhenStopped() {
        callback_.reset();
        ::close(socket_);
    }
    HangingUpWhenStopped(const HangingUpWhenStopped&) = delete;
    HangingUpWhenStopped& operator=(const HangingUpWhenStopped&) = delete;

private:
    int socket_;
    std::optional<std::stop_callback<std::function<void()>>> callback_;
};

std::string with_timeout(const std::string& connection) {
    return connection + (connection.find('?') == std::string::npos ? "?" : "&") +
           "connect_timeout=5";
}

constexpr std::string_view callers = "the connection of the transaction";

/// Without DETAIL and the like, which hold values.
std::string first_line(const std::string& message) {
    const std::string_view line = std::string_view{message}.substr(0, message.find('\n'));
    constexpr std::string_view label = "ERROR:  ";
    return std::string{line.starts_with(label) ? line.substr(label.size()) : line};
}

Unavailable lost(const std::string& why) {
    return Unavailable(fmt::format(
        "{} was lost: {}; nothing was committed, run the whole transaction again", callers, why));
}

/// Hears what the server says besides answers.
class Warned final : public pqxx::errorhandler {
public:
    explicit Warned(pqxx::connection_base& connection) : pqxx::errorhandler(connection) {}
    bool operator()(const char*) noexcept override { return warned_ = true; }
    explicit operator bool() const { return warned_; }

private:
    bool warned_ = false;
};

SqlResult read(const pqxx::result& answer) {
    SqlResult rows;
    rows.affected = static_cast<std::int64_t>(answer.affected_rows());
    for (pqxx::row::size_type i = 0; i < answer.columns(); ++i) {
        rows.columns.emplace_back(answer.column_name(i));
    }
    for (const auto& row : answer) {
        auto& values = rows.rows.emplace_back();
        for (const auto& field : row) {
            values.push_back(field.is_null() ? SqlValue{} : read_text(field.type(), field.c_str()));
        }
    }
    return rows;
}

}  // namespace

Listener::Listener(Address address, std::string channel, Environment& environment,
                   std::function<void()> heard)
    : connection_(with_timeout(address.connection)),
      channel_(std::move(channel)),
      environment_(environment),
      heard_(std::move(heard)),
      task_(environment.scheduler.spawn("listener",
                                        [this](const std::stop_token& stop) { listen(stop); })) {}

void Listener::listen(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        try {
            pqxx::connection connection{connection_};
            std::optional<Receiver> receiver;
            {
                const HangingUpWhenStopped meanwhile{connection, stop};
                receiver.emplace(connection, channel_, heard_);
            }
            const HangingUp before_that{connection};
            heard_();  // of what came before it listened
            while (!stop.stop_requested()) connection.await_notification(0, look_for_stop_us);
        } catch (const pqxx::sql_error& error) {
            // Nobody listens on a standby, until it is promoted.
            const bool standby = error.sqlstate() == "25006";
            environment_.scheduler.sleep(standby ? pause_on_standby : pause_after_loss, stop);
        } catch (const std::exception&) {
            environment_.scheduler.sleep(pause_after_loss, stop);
        }
    }
}

CallersTransaction::CallersTransaction(pqxx::transaction_base& transaction)
    : transaction_(transaction) {
    const bool whole = dynamic_cast<pqxx::dbtransaction*>(&transaction) != nullptr &&
                       dynamic_cast<pqxx::subtransaction*>(&transaction) == nullptr;
    if (whole) return;
    throw InvalidArgument(
        "events can be appended only where their commit commits everything, which that of a "
        "pqxx::nontransaction or pqxx::subtransaction does not; pass a pqxx::work");
}

/// Turns what libpqxx throws into what it means to the caller.
template <class Use>
auto CallersTransaction::guarded(std::string_view sql, const Use& use) {
    const auto refused = [&](const std::string& message, const std::string& state) {
        return refusal(std::string{callers}, {state, first_line(message)}, sql);
    };
    const auto is_lost = [&] { return !transaction_.conn().is_open(); };
    try {
        if (is_lost()) throw lost("it had ended before");
        return use();
    } catch (const pqxx::usage_error& error) {
        throw InvalidArgument(
            fmt::format("the transaction cannot be appended in, as it has ended or is in use: {}; "
                        "append once in a transaction, last, and begin another one",
                        first_line(error.what())));
    } catch (const pqxx::in_doubt_error&) {
        throw OutcomeUnknown(
            fmt::format("{} was lost while it committed; run the whole transaction again with the "
                        "same command id",
                        callers));
    } catch (const pqxx::broken_connection& error) {
        throw lost(first_line(error.what()));
    } catch (const pqxx::deadlock_detected& error) {
        throw refused(error.what(), "40P01");
    } catch (const pqxx::transaction_rollback& error) {
        if (is_lost()) throw lost(first_line(error.what()));
        throw refused(error.what(), "40001");
    } catch (const pqxx::sql_error& error) {
        if (is_lost()) throw lost(first_line(error.what()));
        throw refused(error.what(), error.sqlstate());
    }
}

void CallersTransaction::check_constraints() {
    constexpr auto sql = "set constraints all immediate";
    // Theirs is to say in their own words what is wrong with their rows.
    std::exception_ptr theirs;
    guarded(sql, [&] {
        try {
            transaction_.exec(sql);
        } catch (const pqxx::sql_error&) {
            if (!transaction_.conn().is_open()) throw;
            theirs = std::current_exception();
        }
    });
    if (theirs) std::rethrow_exception(theirs);
}

SqlResult CallersTransaction::script(const std::string& text) {
    return guarded(text, [&] { return read(transaction_.exec(text)); });
}

SqlResult CallersTransaction::run(const Statement& statement) {
    std::vector<pqxx::binarystring> arguments;
    for (const Parameter& each : statement.parameters) arguments.emplace_back(each.bytes);
    return guarded(statement.sql, [&] {
        return read(transaction_.exec_params(std::string{statement.sql},
                                             pqxx::prepare::make_dynamic_params(arguments)));
    });
}

void CallersTransaction::commit() {
    const Warned warned{transaction_.conn()};
    guarded("commit", [&] {
        try {
            transaction_.commit();
        } catch (const pqxx::statement_completion_unknown& error) {
            throw pqxx::in_doubt_error{error.what()};
        }
    });
    if (!warned) return;
    throw OutcomeUnknown(
        fmt::format("{} committed, but its standby has not confirmed it; run the whole transaction "
                    "again with the same command id",
                    callers));
}

void CallersTransaction::abort() noexcept {
    try {
        transaction_.abort();
    } catch (const std::exception&) {
        // It has ended already.
    }
}

}  // namespace recount::postgres
