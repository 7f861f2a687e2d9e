#pragma once

#include <recount/core/append.hpp>
#include <recount/core/envelope.hpp>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "bench/care.hpp"

namespace recount::bench {

/// The rows of one append of one event, as a store made them.
struct Rows {
    std::int64_t partition, position, stream, version, schema;
    std::string envelope, hash, salt, payload;
    std::string name;  // of the stream
    std::string command_id;
    std::int64_t kind, recorded_at;
    std::string outcome;
    Envelope parsed_envelope;  // what the bytes of the two are made from
    CommandOutcome parsed_outcome;
};

/// All rows of a store's file, in the order they were written.
std::vector<Rows> read_rows(const std::string& path);

/// A hand-made client: writes the same rows into an empty store's tables with SQLite's C API,
/// `per_commit` appends in a transaction, with synchronous=FULL or, not durable, NORMAL. With care
/// it looks up the command id and remembers versions, too. `made` is the file of an empty store.
class BareWriter {
public:
    BareWriter(const std::string& made, Care care, bool durable = true);
    ~BareWriter();
    BareWriter(const BareWriter&) = delete;
    BareWriter& operator=(const BareWriter&) = delete;

    void write(const std::vector<Rows>& rows, std::size_t per_commit);

private:
    struct Handles;

    void check(const Rows& row);
    static void make(const Rows& row);
    void add(const Rows& row);
    void set_head(const Rows& row);

    Handles* handles_;
    std::unordered_map<std::string, std::int64_t> versions_;  // of streams
    Care care_;
};

}  // namespace recount::bench
