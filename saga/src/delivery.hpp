#pragma once

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include <recount/core/streams.hpp>
#include <recount/saga/route.hpp>

#include "active.hpp"

namespace recount::saga {

using Routes = std::unordered_map<std::string, Route>;

/// One command of one saga: an open step.
struct Errand {
    Active* active = nullptr;
    std::uint32_t step = 0;
};

/// What came of it. One of the three; `broken` may be mended by waiting for a newer program.
struct Report {
    Errand errand;
    std::optional<Answer> answer;
    std::string broken;  // why it can neither be answered nor tried again
    bool later = false;  // to be sent again, under the same id
    bool newer = false;  // a newer program may be able to handle what is broken here
};

/// Sends the open commands, in one commit, under their recorded ids; each has a report. Throws
/// only what may pass and concerns the store as a whole; what was reported until then counts.
void deliver(Streams& streams, const Routes& routes, std::span<const Errand> errands,
             std::vector<Report>& reports);

/// Claims the ids of open steps, or finds what they had come to; each has a report, as those of
/// deliver().
std::vector<Report> claim(Streams& streams, std::span<const Errand> errands);

}  // namespace recount::saga
