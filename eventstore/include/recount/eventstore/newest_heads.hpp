#pragma once

#include <vector>

#include <recount/eventstore/log.hpp>

namespace recount {

/// A log's heads, with everything that was committed before they were read, and that may be
/// somewhat ago.
struct NewestHeads {
    std::vector<LogHead> heads;
    Duration age{};  // how long ago, at most
};

/// A log whose heads() may be those of a copy that lags behind its store, and that can tell.
class TellsNewestHeads {
public:
    virtual ~TellsNewestHeads() = default;
    virtual NewestHeads newest_heads() = 0;
};

/// Throws Unavailable where the log reads a copy that others may be ahead of nobody knows how far,
/// as a hot standby is. A log that is no TellsNewestHeads is believed, its heads being of now.
NewestHeads newest_heads(Log& log);

}  // namespace recount
