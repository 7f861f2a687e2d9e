#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace recount::bench {

/// A store's rows as binary COPY gives and takes them.
struct PostgresRows {
    std::string streams, events;
};

PostgresRows copy_out(const std::string& url, const std::string& schema);
/// Into the tables of an empty store, in one transaction.
void copy_in(const std::string& url, const std::string& schema, const PostgresRows& rows);

/// A row of a store's file.
struct SqliteEvent {
    std::int64_t partition, position, stream, version, schema;
    std::string envelope, hash, salt, payload;
    std::string name;  // of the stream, when this is its first event
};

std::vector<SqliteEvent> read_events(const std::string& path);
/// Into the file of an empty store, with synchronous=FULL.
void insert_events(const std::string& path, const std::vector<SqliteEvent>& rows,
                   std::size_t a_commit);

}  // namespace recount::bench
