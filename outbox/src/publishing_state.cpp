#include <algorithm>

#include "publishing.hpp"

/// What a Publishing says of itself.
namespace recount {

std::vector<Cursor> Publishing::confirmed() const {
    std::vector<Cursor> cursors;
    for (const auto& lane : lanes_) cursors.push_back(lane.confirmed);
    return cursors;
}

std::vector<std::int64_t> Publishing::last_offsets() const {
    std::vector<std::int64_t> offsets;
    for (const auto& end : ends_) offsets.push_back(end.last_offset);
    return offsets;
}

std::vector<LastMessage> Publishing::last_messages() const {
    std::vector<LastMessage> messages;
    for (const auto& end : ends_) messages.push_back(end.last_message);
    return messages;
}

Positions Publishing::sent() const {
    Positions positions{lanes_.size()};
    for (std::size_t index = 0; index < lanes_.size(); ++index) {
        positions.set({Partition{static_cast<std::int32_t>(index)}, lanes_[index].sent()});
    }
    return positions;
}

bool Publishing::in_flight() const {
    return std::any_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) {
        return !lane.in_flight.empty() || lane.next < lane.page.size();
    });
}

std::int64_t Publishing::backlog() const {
    std::int64_t sum = 0;
    for (const auto& lane : lanes_) sum += std::max<std::int64_t>(0, lane.head - lane.confirmed.n);
    return sum;
}

bool Publishing::covers(const std::vector<LogHead>& heads) const {
    for (std::size_t index = 0; index < lanes_.size() && index < heads.size(); ++index) {
        if (lanes_[index].confirmed.n < heads[index].n) return false;
    }
    return true;
}

}  // namespace recount
