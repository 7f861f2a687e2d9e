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
    "with p as (update partition set position = position + 1, hash = HASH, recorded_at = $7 "
    "  where partition = $1 returning position, hash), "
    "s as (insert into stream as s (name, version) values ($2, $3) on conflict (name) "
    "  do update set version = excluded.version where s.version = $3 - 1 returning version), "
    "o as (insert into outcome values ($8, 1, $7, $9)) "
    "insert into event select $1, p.position, $2, s.version, 1, $4, p.hash, $6, $10 from p, s";
constexpr std::string_view many_events =
    "with p as (update partition set position = position + cardinality($4::bytea[]), "
    "    hash = ($5::bytea[])[cardinality($4::bytea[])], recorded_at = $7 where partition = $1 "
    "  returning position), "
    "s as (insert into stream as s (name, version) "
    "  values ($2, $3 + cardinality($4::bytea[]) - 1) on conflict (name) "
    "  do update set version = excluded.version where s.version = $3 - 1 returning version), "
    "o as (insert into outcome values ($8, 1, $7, $9)) "
    "insert into event select $1, p.position - cardinality($4::bytea[]) + u.n, $2, $3 + u.n - 1, "
    "1, "
    "  u.envelope, u.hash, u.salt, u.payload from p, s, "
    "  unnest($4::bytea[], $5::bytea[], $6::bytea[], $10::bytea[]) "
    "  with ordinality u (envelope, hash, salt, payload, n)";
// As eventstore/README.md says it.
constexpr std::string_view chained_there =
    "sha256('recount/event/1'::bytea || int4send($1) || int8send(position + 1) || hash || $4)";
constexpr std::size_t salt_bytes = 16;

std::string one_statement(Care care) {
    std::string sql{one_event};
    // $5 is of no type when it is not used.
    const std::string_view hash = care == Care::same ? chained_there : "$5::bytea";
    return sql.replace(sql.find("HASH"), 4, hash);
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
    void prepare(const char* name, const std::string& sql, const std::array<Oid, 10>& types) const {
        require(PQprepare(handle.get(), name, sql.c_str(), 10, types.data()), PGRES_COMMAND_OK);
    }

    std::unique_ptr<PGconn, decltype(&PQfinish)> handle;
};

BarePostgres::BarePostgres(const std::string& url, const std::string& schema, Care care)
    : connection_(std::make_unique<Connection>(url)), care_(care) {
    const std::string path = "set search_path = " + schema;
    connection_->require(PQexec(connection_->handle.get(), path.c_str()), PGRES_COMMAND_OK);
    connection_->prepare("one", one_statement(care), {23, 25, 20, 17, 17, 17, 20, 25, 17, 17});
    connection_->prepare("many", std::string{many_events},
                         {23, 25, 20, 1001, 1001, 1001, 20, 25, 17, 1001});
    if (care == Care::same) read_heads();
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
        if (append.events == 1) continue;  // the server does it
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
    Columns columns = care_ == Care::same ? made(append) : copies(append);
    const std::array<std::string, 10> values{
        big_endian(static_cast<std::uint64_t>(append.partition), 4),
        append.stream,
        big_endian(static_cast<std::uint64_t>(append.version), 8),
        std::move(columns.envelope.bytes()),
        std::move(columns.hash.bytes()),
        std::move(columns.salt.bytes()),
        big_endian(static_cast<std::uint64_t>(microseconds(columns.recorded_at)), 8),
        append.command_id,
        columns.outcome,
        std::move(columns.payload.bytes())};
    std::array<const char*, 10> pointers{};
    std::array<int, 10> lengths{};
    std::array<int, 10> formats{};
    for (std::size_t i = 0; i < values.size(); ++i) {
        pointers[i] = values[i].data();
        lengths[i] = static_cast<int>(values[i].size());
        formats[i] = 1;
    }
    const auto done = connection_->require(
        PQexecPrepared(connection_->handle.get(), append.events == 1 ? "one" : "many", 10,
                       pointers.data(), lengths.data(), formats.data(), 1),
        PGRES_COMMAND_OK);
    if (std::atoi(PQcmdTuples(done.get())) != append.events) {
        throw std::runtime_error("the bare client wrote something else");
    }
}

}  // namespace recount::bench
