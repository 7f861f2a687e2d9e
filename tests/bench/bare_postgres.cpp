#include "bench/bare_postgres.hpp"

#include <libpq-fe.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace recount::bench {
namespace {

// One event: plain values. Several: arrays, unnested.
constexpr const char* one_event =
    "with p as (update partition set position = position + 1, hash = $5, recorded_at = $7 "
    "  where partition = $1 returning position), "
    "s as (insert into stream as s (name, version) values ($2, $3) on conflict (name) "
    "  do update set version = excluded.version where s.version = $3 - 1 returning version), "
    "o as (insert into outcome values ($8, 1, $7, $9)) "
    "insert into event select $1, p.position, $2, s.version, 1, $4, $5, $6, $10 from p, s";
constexpr const char* many_events =
    "with p as (update partition set position = position + cardinality($4::bytea[]), "
    "    hash = ($5::bytea[])[1], recorded_at = $7 where partition = $1 returning position), "
    "s as (insert into stream as s (name, version) "
    "  values ($2, $3 + cardinality($4::bytea[]) - 1) on conflict (name) "
    "  do update set version = excluded.version where s.version = $3 - 1 returning version), "
    "o as (insert into outcome values ($8, 1, $7, $9)) "
    "insert into event select $1, p.position - cardinality($4::bytea[]) + u.n, $2, $3 + u.n - 1, "
    "1, "
    "  u.envelope, u.hash, u.salt, u.payload from p, s, "
    "  unnest($4::bytea[], $5::bytea[], $6::bytea[], $10::bytea[]) "
    "  with ordinality u (envelope, hash, salt, payload, n)";

std::string big_endian(std::uint64_t value, int bytes) {
    std::string out;
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
        out.push_back(static_cast<char>(value >> shift & 0xff));
    }
    return out;
}

std::string array_of(const std::string& element, int count) {
    std::string out = big_endian(1, 4) + big_endian(0, 4) + big_endian(17, 4) +
                      big_endian(static_cast<std::uint64_t>(count), 4) + big_endian(1, 4);
    for (int i = 0; i < count; ++i) out += big_endian(element.size(), 4) + element;
    return out;
}

void require(PGresult* result, PGconn* connection, ExecStatusType status) {
    if (PQresultStatus(result) != status) {
        std::fprintf(stderr, "the bare client failed: %s", PQerrorMessage(connection));
        std::exit(1);
    }
    PQclear(result);
}

}  // namespace

BarePostgres::BarePostgres(const std::string& url, const std::string& schema)
    : connection_(PQconnectdb(url.c_str())) {
    auto* connection = static_cast<PGconn*>(connection_);
    const std::string path = "set search_path = " + schema;
    require(PQexec(connection, path.c_str()), connection, PGRES_COMMAND_OK);
    constexpr std::array<Oid, 10> one{23, 25, 20, 17, 17, 17, 20, 25, 17, 17};
    constexpr std::array<Oid, 10> many{23, 25, 20, 1001, 1001, 1001, 20, 25, 17, 1001};
    require(PQprepare(connection, "one", one_event, 10, one.data()), connection, PGRES_COMMAND_OK);
    require(PQprepare(connection, "many", many_events, 10, many.data()), connection,
            PGRES_COMMAND_OK);
}

BarePostgres::~BarePostgres() { PQfinish(static_cast<PGconn*>(connection_)); }

void BarePostgres::append(const BareAppend& append) {
    const std::string hash(32, 'h');
    const std::string salt(16, 's');
    const auto column = [&append](const std::string& value) {
        return append.events == 1 ? value : array_of(value, append.events);
    };
    const std::array<std::string, 10> values{
        big_endian(static_cast<std::uint64_t>(append.partition), 4),
        append.stream,
        big_endian(static_cast<std::uint64_t>(append.version), 8),
        column(append.envelope),
        column(hash),
        column(salt),
        big_endian(1'700'000'000'000'000, 8),
        append.command_id,
        append.outcome,
        column(append.payload)};
    std::array<const char*, 10> pointers{};
    std::array<int, 10> lengths{};
    std::array<int, 10> formats{};
    for (std::size_t i = 0; i < values.size(); ++i) {
        pointers[i] = values[i].data();
        lengths[i] = static_cast<int>(values[i].size());
        formats[i] = 1;
    }
    auto* connection = static_cast<PGconn*>(connection_);
    require(PQexecPrepared(connection, append.events == 1 ? "one" : "many", 10, pointers.data(),
                           lengths.data(), formats.data(), 1),
            connection, PGRES_COMMAND_OK);
}

}  // namespace recount::bench
