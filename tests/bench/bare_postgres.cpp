#include "bench/bare_postgres.hpp"

#include <recount/core/append.hpp>
#include <recount/core/envelope.hpp>
#include <recount/core/environment.hpp>
#include <recount/core/hash.hpp>
#include <recount/core/ids.hpp>

#include <libpq-fe.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string_view>

namespace recount::bench {
namespace {

// One event: plain values. Several: arrays, unnested.
constexpr std::string_view one_event =
    "with p as (update partition set position = position + 1, hash = {hash}, recorded_at = $7 "
    "  where partition = $1 {chain} returning position, hash), "
    "s as ({stream}), o as (insert into outcome values ($8, 1, $7, $9)) "
    "insert into event select $1, p.position, $2, s.version, 1, $4, p.hash, $6, $10 from p, s";
constexpr std::string_view many_events =
    "with p as (update partition set position = position + cardinality($4::bytea[]), "
    "    hash = ($5::bytea[])[cardinality($4::bytea[])], recorded_at = $7 where partition = $1 "
    "  {chain} returning position), "
    "s as ({stream}), o as (insert into outcome values ($8, 1, $7, $9)) "
    "insert into event select $1, p.position - cardinality($4::bytea[]) + u.n, $2, $3 + u.n - 1, "
    "1, "
    "  u.envelope, u.hash, u.salt, u.payload from p, s, "
    "  unnest($4::bytea[], $5::bytea[], $6::bytea[], $10::bytea[]) "
    "  with ordinality u (envelope, hash, salt, payload, n)";
constexpr std::string_view new_stream =
    "insert into stream (name, version) values ($2, {last}) returning version";
constexpr std::string_view next_of_stream =
    "update stream set version = {last} where name = $2 and version = $3 - 1 returning version";
// As eventstore/README.md says it.
constexpr std::string_view chained_there =
    "sha256('recount/event/1'::bytea || int4send($1) || int8send(position + 1) || hash || $4)";
constexpr std::size_t salt_bytes = 16;
constexpr std::size_t parameters = 12;

std::string statement(bool several, bool fresh, Chain chain) {
    std::string sql{several ? many_events : one_event};
    const auto put = [&sql](std::string_view name, std::string_view value) {
        if (const auto at = sql.find(name); at != std::string::npos) {
            sql.replace(at, name.size(), value);
        }
    };
    put("{stream}", fresh ? new_stream : next_of_stream);
    put("{last}", several ? "$3 + cardinality($4::bytea[]) - 1" : "$3");
    put("{hash}", chain == Chain::there ? chained_there : "$5::bytea");
    put("{chain}", chain == Chain::here ? "and position = $11::bigint and hash = $12::bytea" : "");
    return sql;
}

void put_big_endian(std::string& out, std::uint64_t value, int bytes) {
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
        out.push_back(static_cast<char>(value >> shift & 0xff));
    }
}

std::string big_endian(std::uint64_t value, int bytes) {
    std::string out;
    put_big_endian(out, value, bytes);
    return out;
}

/// A column of as many values as there are events: an array, or the value itself when it is one.
class Column {
public:
    explicit Column(int count) : several_(count > 1) {
        if (!several_) return;
        for (const std::uint64_t number : {1, 0, 17, count, 1}) put_big_endian(bytes_, number, 4);
    }
    void add(std::string_view value) {
        if (several_) put_big_endian(bytes_, value.size(), 4);
        bytes_ += value;
    }
    std::string& bytes() { return bytes_; }

private:
    bool several_;
    std::string bytes_;
};

std::int64_t microseconds(Timestamp time) { return time.time_since_epoch().count(); }

}  // namespace

struct BarePostgres::Columns {
    explicit Columns(int count) : envelope(count), hash(count), salt(count), payload(count) {}
    Column envelope, hash, salt, payload;
    std::string outcome;
    Timestamp recorded_at;
};

struct BarePostgres::Connection {
    explicit Connection(const std::string& url) : handle(PQconnectdb(url.c_str()), &PQfinish) {}

    using Rows = std::unique_ptr<PGresult, decltype(&PQclear)>;
    Rows require(PGresult* result, ExecStatusType status) const {
        Rows rows{result, &PQclear};
        if (PQresultStatus(result) == status) return rows;
        throw std::runtime_error(std::string{"the bare client failed: "} +
                                 PQerrorMessage(handle.get()));
    }
    void prepare(bool several, bool fresh, Chain chain) const {
        const Oid column = several ? 1001 : 17;
        const std::array<Oid, parameters> types{23, 25, 20, column, column, column,
                                                20, 25, 17, column, 20,     17};
        require(PQprepare(handle.get(), name_of(several, fresh),
                          statement(several, fresh, chain).c_str(), parameters, types.data()),
                PGRES_COMMAND_OK);
    }
    static const char* name_of(bool several, bool fresh) {
        return several ? (fresh ? "many new" : "many") : (fresh ? "one new" : "one");
    }

    std::unique_ptr<PGconn, decltype(&PQfinish)> handle;
};

BarePostgres::BarePostgres(const std::string& url, const std::string& schema, Chain chain)
    : connection_(std::make_unique<Connection>(url)), chain_(chain) {
    const std::string path = "set search_path = " + schema;
    connection_->require(PQexec(connection_->handle.get(), path.c_str()), PGRES_COMMAND_OK);
    for (const bool fresh : {false, true}) {
        connection_->prepare(false, fresh, chain);
        // Nobody chains several there.
        connection_->prepare(true, fresh, chain == Chain::there ? Chain::here : chain);
    }
    if (chain != Chain::none) read_heads();
}

BarePostgres::~BarePostgres() = default;

void BarePostgres::read_heads() {
    const auto rows =
        connection_->require(PQexec(connection_->handle.get(),
                                    "select partition, position, encode(hash, 'hex') from "
                                    "partition"),
                             PGRES_TUPLES_OK);
    for (int row = 0; row < PQntuples(rows.get()); ++row) {
        Head& head = heads_[std::atoi(PQgetvalue(rows.get(), row, 0))];
        head.position = std::atoll(PQgetvalue(rows.get(), row, 1));
        const std::string hex = PQgetvalue(rows.get(), row, 2);
        for (std::size_t i = 0; i < head.hash.bytes.size(); ++i) {
            head.hash.bytes[i] =
                static_cast<std::uint8_t>(std::stoi(hex.substr(2 * i, 2), nullptr, 16));
        }
    }
}

BarePostgres::Columns BarePostgres::copies(const BareAppend& append) const {
    Columns columns{append.events};
    for (int i = 0; i < append.events; ++i) {
        columns.envelope.add(append.envelope);
        columns.hash.add(std::string(sizeof(Hash), 'h'));
        columns.salt.add(std::string(salt_bytes, 's'));
        columns.payload.add(append.payload);
    }
    columns.outcome = append.outcome;
    columns.recorded_at = Timestamp{std::chrono::microseconds{1'700'000'000'000'000}};
    return columns;
}

BarePostgres::Columns BarePostgres::made(const BareAppend& append) {
    Columns columns{append.events};
    columns.recorded_at = Environment::system().clock.now();
    Sha256 request;
    request.add(append.stream).add_u64(static_cast<std::uint64_t>(append.version));
    std::string salts(salt_bytes * static_cast<std::size_t>(append.events), '\0');
    Environment::system().random.fill(
        {reinterpret_cast<std::uint8_t*>(salts.data()), salts.size()});

    Envelope envelope;
    envelope.stream = StreamName::trusted(append.stream);
    envelope.type = append.type;
    envelope.append_id = append.command_id;
    envelope.append_count = static_cast<std::uint32_t>(append.events);
    envelope.correlation_id = append.command_id;
    envelope.occurred_at = envelope.recorded_at = columns.recorded_at;
    Head& head = heads_[append.partition];
    for (int i = 0; i < append.events; ++i) {
        const auto salt =
            std::string_view{salts}.substr(static_cast<std::size_t>(i) * salt_bytes, salt_bytes);
        request.add(append.type).add(append.payload);
        envelope.version = Version{append.version + i};
        envelope.append_index = static_cast<std::uint32_t>(i);
        envelope.event_id = event_id(append.command_id, envelope.append_index);
        envelope.payload_digest = payload_digest(salt, append.payload);
        const std::string bytes = encode(envelope);
        columns.envelope.add(bytes);
        columns.salt.add(salt);
        columns.payload.add(append.payload);
        if (append.events == 1 && chain_ == Chain::there) continue;
        const Position position{Partition{append.partition}, ++head.position};
        head.hash = chain_hash(position, head.hash, bytes);
        columns.hash.add(head.hash.view());
    }

    CommandOutcome outcome;
    outcome.command_id = append.command_id;
    outcome.kind = CommandOutcome::Kind::events;
    outcome.request = request.finish();
    outcome.recorded_at = columns.recorded_at;
    outcome.streams.push_back({envelope.stream, Version{append.version},
                               Version{append.version + append.events - 1},
                               Position{Partition{append.partition}, 1}});
    columns.outcome = encode(outcome);
    return columns;
}

void BarePostgres::append(const BareAppend& append) {
    const Head before = heads_[append.partition];
    Columns columns = chain_ == Chain::none ? copies(append) : made(append);
    const bool several = append.events > 1;
    const std::array<std::string, parameters> values{
        big_endian(static_cast<std::uint64_t>(append.partition), 4),
        append.stream,
        big_endian(static_cast<std::uint64_t>(append.version), 8),
        std::move(columns.envelope.bytes()),
        std::move(columns.hash.bytes()),
        std::move(columns.salt.bytes()),
        big_endian(static_cast<std::uint64_t>(microseconds(columns.recorded_at)), 8),
        append.command_id,
        columns.outcome,
        std::move(columns.payload.bytes()),
        big_endian(static_cast<std::uint64_t>(before.position), 8),
        std::string{before.hash.view()}};
    std::array<const char*, parameters> pointers{};
    std::array<int, parameters> lengths{};
    std::array<int, parameters> formats{};
    for (std::size_t i = 0; i < values.size(); ++i) {
        pointers[i] = values[i].data();
        lengths[i] = static_cast<int>(values[i].size());
        formats[i] = 1;
    }
    const auto done = connection_->require(
        PQexecPrepared(connection_->handle.get(), Connection::name_of(several, append.version == 1),
                       parameters, pointers.data(), lengths.data(), formats.data(), 1),
        PGRES_COMMAND_OK);
    if (std::atoi(PQcmdTuples(done.get())) != append.events) {
        throw std::runtime_error("the bare client wrote something else");
    }
}

}  // namespace recount::bench
