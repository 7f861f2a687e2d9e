#include "postgres_link.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <recount/core/error.hpp>

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace recount::postgres {

namespace {

using Received = std::unique_ptr<PGresult, decltype(&PQclear)>;
using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

std::string first_line(const char* message) {
    const std::string_view text = message == nullptr ? "" : message;
    return std::string{text.substr(0, text.find('\n'))};
}

std::string setting(const Options& options, std::string_view keyword) {
    for (const PQconninfoOption* each = options.get(); each->keyword != nullptr; ++each) {
        if (keyword == each->keyword && each->val != nullptr) return each->val;
    }
    return {};
}

/// Takes what precedes the next comma, and the comma.
std::string_view next_of(std::string_view& list) {
    const std::string_view item = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), item.size() + 1));
    return item;
}

/// Each host with its port; one port is that of all.
std::string servers(std::string_view hosts, std::string_view ports) {
    std::string all;
    std::string_view port;
    do {
        const std::string_view host = next_of(hosts);
        if (!ports.empty()) port = next_of(ports);
        all += fmt::format("{}{}{}{}", all.empty() ? "" : ",", host.empty() ? "localhost" : host,
                           port.empty() ? "" : ":", port);
    } while (!hosts.empty());
    return all;
}

/// libpq's own complaints about a malformed text quote it, password and all, so they stay unsaid.
std::string checked_place(const std::string& connection) {
    char* complaint = nullptr;
    const Options options{PQconninfoParse(connection.c_str(), &complaint), &PQconninfoFree};
    PQfreemem(complaint);
    const std::string port = options ? setting(options, "port") : "x";
    if (!options || port.find_first_not_of("0123456789,") != std::string::npos) {
        throw InvalidArgument(
            "the PostgreSQL URL cannot be understood; write "
            "postgresql://USER:PASSWORD@HOST:PORT/DATABASE?schema=NAME and encode other characters "
            "in its parts as %XX");
    }
    return fmt::format("postgresql://{}/{}", servers(setting(options, "host"), port),
                       setting(options, "dbname"));
}

Failure failure_of(const PGresult* result) {
    const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    // Its state, "feature not supported", is that of many others; its text depends on the locale.
    const char* source = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
    return {state == nullptr ? "" : state,
            first_line(message == nullptr ? PQresultErrorMessage(result) : message),
            source != nullptr && std::string_view{source} == "RevalidateCachedQuery"};
}

/// What the server says last, or what libpq says when it said nothing.
bool ends_connection(const PGresult* result) {
    const char* severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const std::string_view text = severity == nullptr ? "" : severity;
    return state == nullptr || text == "FATAL" || text == "PANIC";
}

Lost lost_by(Failure failure) { return {std::move(failure.message), std::move(failure.state)}; }

}  // namespace

struct Link::State {
    PGconn* handle = nullptr;
    ~State() { PQfinish(handle); }
};

Link::Link(const Settings& settings)
    : state_(std::make_unique<State>()),
      place_(checked_place(settings.connection)),
      silence_(settings.silence) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(settings.timeout).count();
    const std::string connect_timeout = std::to_string(std::clamp<std::int64_t>(seconds, 2, 60));
    const std::string user_timeout = std::to_string(
        std::chrono::duration_cast<std::chrono::milliseconds>(settings.silence).count());
    // What the URL says wins over what stands before it, and loses to what stands behind.
    const std::array<std::array<const char*, 2>, 9> parameters{{
        {"connect_timeout", connect_timeout.c_str()},
        {"application_name", settings.application.c_str()},
        {"keepalives", "1"},
        {"keepalives_idle", "10"},
        {"keepalives_interval", "3"},
        {"keepalives_count", "3"},
        {"tcp_user_timeout", user_timeout.c_str()},
        {"dbname", settings.connection.c_str()},
        {"client_encoding", "UTF8"},
    }};
    std::vector<const char*> names;
    std::vector<const char*> values;
    for (const auto& [name, value] : parameters) {
        names.push_back(name);
        values.push_back(value);
    }
    names.push_back(nullptr);
    values.push_back(nullptr);
    state_->handle = PQconnectdbParams(names.data(), values.data(), 1);
    if (PQstatus(state_->handle) != CONNECTION_OK) lose(PQerrorMessage(state_->handle));
    require(PQsetnonblocking(state_->handle, 1) == 0 ? 1 : 0);
    const auto notice = [](void* self, const PGresult* result) {
        const char* severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
        if (severity != nullptr && std::string_view{severity} == "WARNING") {
            static_cast<Link*>(self)->warned_ = true;
        }
    };
    PQsetNoticeReceiver(state_->handle, notice, this);
}

Link::~Link() = default;

void Link::look() {
    pollfd ready{PQsocket(state_->handle), POLLIN, 0};
    // Notices may be read over; behind a farewell comes the end, which cannot be read.
    while (::poll(&ready, 1, 0) > 0) require(PQconsumeInput(state_->handle));
}

void Link::begin_pipeline() { require(PQenterPipelineMode(state_->handle)); }

void Link::prepare(const std::string& name, const std::string& sql,
                   std::span<const Parameter> parameters) {
    std::vector<Oid> types;
    for (const Parameter& each : parameters) types.push_back(each.type);
    require(PQsendPrepare(state_->handle, name.c_str(), sql.c_str(), static_cast<int>(types.size()),
                          types.data()));
}

void Link::describe(const std::string& name) {
    require(PQsendDescribePrepared(state_->handle, name.c_str()));
}

void Link::execute(const std::string& name, std::span<const Parameter> parameters,
                   bool binary_rows) {
    std::vector<const char*> values;
    std::vector<int> lengths;
    std::vector<int> formats;
    values.reserve(parameters.size());
    lengths.reserve(parameters.size());
    formats.reserve(parameters.size());
    for (const Parameter& each : parameters) {
        values.push_back(each.null ? nullptr : each.bytes.c_str());
        lengths.push_back(static_cast<int>(each.bytes.size()));
        formats.push_back(each.binary ? 1 : 0);
    }
    require(PQsendQueryPrepared(state_->handle, name.c_str(), static_cast<int>(values.size()),
                                values.data(), lengths.data(), formats.data(),
                                binary_rows ? 1 : 0));
}

void Link::sync() {
    require(PQpipelineSync(state_->handle));
    flush();
}

std::optional<Failure> Link::end_pipeline() {
    Answer synced = answer();
    require(PQexitPipelineMode(state_->handle));
    return std::move(synced.failure);
}

void Link::query(const std::string& text) {
    require(PQsendQuery(state_->handle, text.c_str()));
    flush();
}

Answer Link::answer(const std::function<void(const Result& row)>& take) {
    require(PQsetSingleRowMode(state_->handle));
    return read_answer(&take);
}

Answer Link::answer() { return read_answer(nullptr); }

Answer Link::read_answer(const std::function<void(const Result& row)>* take) {
    Answer answer;
    for (;;) {
        while (PQisBusy(state_->handle) != 0) wait(POLLIN);
        Received result{PQgetResult(state_->handle), &PQclear};
        if (!result) return answer;
        switch (PQresultStatus(result.get())) {
            case PGRES_PIPELINE_SYNC:
                return answer;  // nothing comes behind it
            case PGRES_SINGLE_TUPLE:
                (*take)(Result{result.release()});
                break;
            case PGRES_COMMAND_OK:
            case PGRES_TUPLES_OK:
                answer.command = PQcmdStatus(result.get());
                answer.rows = Result{result.release()};
                break;
            case PGRES_PIPELINE_ABORTED:
                answer.skipped = true;
                break;
            default:
                if (ends_connection(result.get())) throw lost_by(failure_of(result.get()));
                if (!answer.failure) answer.failure = failure_of(result.get());
        }
    }
}

std::optional<Failure> Link::copying() {
    std::optional<Failure> failure;
    for (;;) {
        while (PQisBusy(state_->handle) != 0) wait(POLLIN);
        Received result{PQgetResult(state_->handle), &PQclear};
        if (!result) return failure ? failure : Failure{"", "it began no copy"};
        const ExecStatusType status = PQresultStatus(result.get());
        if (status == PGRES_COPY_IN) return {};
        if (status == PGRES_COMMAND_OK) continue;
        if (ends_connection(result.get())) throw lost_by(failure_of(result.get()));
        if (!failure) failure = failure_of(result.get());
    }
}

void Link::copy(std::string_view bytes) {
    const int size = static_cast<int>(bytes.size());
    require(PQputCopyData(state_->handle, bytes.data(), size) == 1 ? 1 : 0);
    if (PQflush(state_->handle) < 0) lose(PQerrorMessage(state_->handle));
}

Answer Link::end_copy() {
    require(PQputCopyEnd(state_->handle, nullptr) == 1 ? 1 : 0);
    flush();
    return answer();
}

void Link::wait(short events) {
    pollfd ready{PQsocket(state_->handle), events, 0};
    const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(silence_).count();
    int count = 0;
    do {
        count = ::poll(&ready, 1, static_cast<int>(limit));
    } while (count < 0 && errno == EINTR);
    if (count == 0) throw Lost{fmt::format("it has not answered for {} ms", limit), ""};
    if ((ready.revents & ~POLLOUT) != 0 && PQconsumeInput(state_->handle) == 0) {
        lose(PQerrorMessage(state_->handle));
    }
}

void Link::flush() {
    for (;;) {
        const int rest = PQflush(state_->handle);
        if (rest == 0) return;
        if (rest < 0) lose(PQerrorMessage(state_->handle));
        wait(POLLIN | POLLOUT);
    }
}

void Link::require(int done) {
    if (done == 0) lose(PQerrorMessage(state_->handle));
}

void Link::lose(const char* libpq_message) { throw Lost{first_line(libpq_message), ""}; }

}  // namespace recount::postgres
