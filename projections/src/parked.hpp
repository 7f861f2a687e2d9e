#pragma once

#include <set>
#include <string>
#include <vector>

#include "handler.hpp"

namespace recount::projections {

/// The events of a batch that a view sets aside: the ones that failed, and those queued behind
/// them.
class Parking {
public:
    /// Reads which streams are parked already, when there are any.
    Parking(Sql& sql, bool any_parked);

    /// Sets the event aside when its stream is parked, or with `error` when that is not empty.
    bool park(const RecordedEvent& event, const std::string& error);
    /// Writes the queue. Throws Error when the view would have more than `limit` events set aside.
    void write(Sql& sql, const std::string& view, std::size_t limit, Timestamp now);
    [[nodiscard]] std::int64_t count() const { return static_cast<std::int64_t>(rows_.size()); }

private:
    struct Parked {
        const RecordedEvent* event;
        std::string error;
    };
    std::set<std::string, std::less<>> streams_;
    std::vector<Parked> rows_;
};

/// The first event of a parked stream.
struct ParkedHead {
    Position position;
    std::string stream;
};
/// One entry a parked stream, in order of position.
std::vector<ParkedHead> parked_heads(Sql& sql);
std::int64_t parked_events(Sql& sql);

}  // namespace recount::projections
