#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace recount::bench {

enum class Client : std::uint8_t {
    store,       // recount's, one a process
    by_hand,     // BarePostgres with the same care, a connection a writer
    rows_alone,  // the same without: rows of the same sizes
};

/// Who writes, and which appends go where.
struct Load {
    enum class Streams : std::uint8_t {
        fresh,  // each append begins a stream
        own,    // fifty a writer, the version expected
        hot,    // one for all writers, commands decided on it and tried again
    };
    Client client = Client::store;
    Streams streams = Streams::own;
    int processes = 1;
    int writers = 1;  // in all
    int batch = 1;    // events in an append
    double seconds = 2;
};

struct Written {
    std::int64_t events = 0;
    double seconds = 0;
    std::vector<double> milliseconds;  // each append took
    std::int64_t attempts = 0;         // of commands, those that conflicted too
    double wal_bytes = 0;              // the server wrote meanwhile

    [[nodiscard]] double rate() const { return static_cast<double>(events) / seconds; }
};

/// Into a schema of its own that is dropped again, behind a few events of a store's. Throws when
/// the log is not exactly what was acknowledged, or its chain is broken; rows alone have no chain.
Written write_by(const Load& load);

/// What main does first: a process that was started to write for another ends here.
void write_as_child(int count, char** arguments);

}  // namespace recount::bench
