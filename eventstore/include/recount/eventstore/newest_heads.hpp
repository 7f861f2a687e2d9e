#pragma once

#include <vector>

#include <recount/eventstore/log.hpp>

namespace recount {

/// A log whose heads() may be those of a copy that lags behind its store, and that can tell.
class TellsNewestHeads {
public:
    virtual ~TellsNewestHeads() = default;
    virtual std::vector<LogHead> newest_heads() = 0;
};

/// The heads of a log, freshly read, with everything committed before. Throws Unavailable where it
/// reads a copy that others may be ahead of, as a hot standby is. A log that is no TellsNewestHeads
/// is believed.
std::vector<LogHead> newest_heads(Log& log);

}  // namespace recount
