#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <recount/core/streams.hpp>

#include "postgres_session.hpp"

namespace recount::postgres {

/// Gives a stream's events to whoever wants them while the server sends the next ones. No sum of
/// bytes bounds a page: of rows that come one by one only one is held, and a server whose rows
/// nobody takes waits.
class StreamVisit {
public:
    StreamVisit(const StreamName& stream, Version from, std::size_t page, const TakeEvent& take);

    /// To the end. When the session is lost on the way (Unavailable), another goes on behind the
    /// last event that was given.
    void go_on(Session& session);

private:
    [[nodiscard]] std::vector<Statement> statements() const;
    bool take(const Result& row);

    const StreamName& stream_;
    const TakeEvent& take_;
    std::int64_t next_;  // version
    std::int64_t page_;
    Version head_;  // as it was before the page was read
    bool wanted_ = true;
    RecordedEvent event_;  // one after the other
};

}  // namespace recount::postgres
