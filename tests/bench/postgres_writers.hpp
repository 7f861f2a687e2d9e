#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace recount::bench {

/// What appends go where.
struct Load {
    enum class Streams : std::uint8_t {
        fresh,  // each append begins a stream
        own,    // fifty a writer, the version expected
        hot,    // one for all writers, commands decided on it and tried again
    };
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

/// By stores, one a process, into a schema of its own that is dropped again. Throws when the log is
/// not exactly what was acknowledged, or its chain is broken.
Written write_by_store(const Load& load);
/// By BarePostgres, a connection a writer, into tables of the same shape.
Written write_by_hand(const Load& load);

/// What main does first: a process that was started to write for another ends here.
void write_as_child(int count, char** arguments);

}  // namespace recount::bench
