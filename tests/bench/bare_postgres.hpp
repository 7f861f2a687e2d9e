#pragma once

#include <recount/core/values.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace recount::bench {

/// One append to one stream, of events that are all alike.
struct BareAppend {
    std::int32_t partition = 0;
    std::string stream;
    std::int64_t version = 1;  // of its first event
    std::string command_id;
    int events = 1;
    std::string type, payload;      // of each event
    std::string envelope, outcome;  // of each event, of the append: for who makes none
};

/// Where a hand-made client computes the hash of an event.
enum class Chain : std::uint8_t {
    none,   // nowhere: it writes rows of the right sizes
    here,   // in the client, on what it wrote before, which the statement compares
    there,  // on the server, if it is a single one, whoever wrote the one before
};

/// What a program can do by hand with libpq: one prepared statement with binary parameters for an
/// append, which moves the partition's head, writes stream, events and outcome, and commits. Who
/// chains hashes the request and makes all bytes, salts among them; verify_chain() accepts its log.
/// It looks at no command id before it writes, and its outcomes name no positions. One connection.
class BarePostgres {
public:
    /// Each partition of the store that made the tables holds an event.
    BarePostgres(const std::string& url, const std::string& schema, Chain chain);
    ~BarePostgres();
    BarePostgres(const BarePostgres&) = delete;
    BarePostgres& operator=(const BarePostgres&) = delete;

    void append(const BareAppend& append);

private:
    struct Head {
        std::int64_t position = 0;
        Hash hash;
    };
    struct Columns;

    void read_heads();
    [[nodiscard]] Columns copies(const BareAppend& append) const;
    [[nodiscard]] Columns made(const BareAppend& append);

    struct Connection;
    std::unique_ptr<Connection> connection_;
    Chain chain_;
    std::map<std::int32_t, Head> heads_;
};

}  // namespace recount::bench
