#include "postgres_visit.hpp"

#include <algorithm>

#include "postgres_read.hpp"
#include "store_base.hpp"

namespace recount::postgres {
namespace {

constexpr std::string_view rows_of_stream =
    "select partition, position, envelope, hash, salt, payload from event "
    "where stream = $1 and version >= $2 order by version limit $3";

}  // namespace

StreamVisit::StreamVisit(const StreamName& stream, Version from, std::size_t page,
                         const TakeEvent& take)
    : stream_(stream),
      take_(take),
      next_(std::max<std::int64_t>(from.value, 1)),
      page_(static_cast<std::int64_t>(std::clamp<std::size_t>(page, 1, 1'000'000))) {}

void StreamVisit::go_on(Session& session) {
    for (bool end = false; wanted_ && !end;) {
        const std::int64_t behind_page = next_ + page_;
        session.run_rows(statements(), [this](std::size_t statement, const Result& row) {
            if (statement == 1) return take(row);
            head_ = Version{row.integer(0, 0)};
            return true;
        });
        end = next_ < behind_page || next_ > head_.value;
    }
    if (wanted_ && next_ <= head_.value)
        lacks_version(stream_, Version{next_}, head_, session.name());
}

std::vector<Statement> StreamVisit::statements() const {
    return {{head_of_stream, {text(stream_.full())}},
            {rows_of_stream, {text(stream_.full()), bigint(next_), bigint(page_)}}};
}

bool StreamVisit::take(const Result& row) {
    read_event(event_parts(row, 0), event_);
    check_row(event_, stream_, Version{next_});
    ++next_;
    return wanted_ = take_(event_);
}

}  // namespace recount::postgres
