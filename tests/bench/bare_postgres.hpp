#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace recount::bench {

/// One append as rows, with bytes as long as a store makes them.
struct BareAppend {
    std::int32_t partition = 0;
    std::string stream;
    std::int64_t version = 1;  // of its first event
    std::string command_id;
    int events = 1;
    std::string envelope, payload, outcome;  // of each event; of the append
};

/// What a program can do by hand with libpq: one prepared statement with binary parameters for an
/// append, which moves the partition's head, writes stream, events and outcome, and commits. It
/// decides nothing, computes no hash and no envelope, and checks only the version. One connection.
class BarePostgres {
public:
    explicit BarePostgres(const std::string& url, const std::string& schema);
    ~BarePostgres();
    BarePostgres(const BarePostgres&) = delete;
    BarePostgres& operator=(const BarePostgres&) = delete;

    void append(const BareAppend& append);

private:
    void* connection_;
};

}  // namespace recount::bench
