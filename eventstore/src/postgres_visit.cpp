#include "postgres_visit.hpp"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <optional>
#include <string_view>
#include <vector>

#include "postgres_read.hpp"
#include "store_base.hpp"

namespace recount::postgres {
namespace {

constexpr std::string_view rows_of_stream =
    "select partition, position, envelope, hash, salt, payload from event "
    "where stream = $1 and version >= $2 order by version limit $3";

/// Gives a stream's events to whoever wants them while the server sends the next ones. No sum of
/// bytes bounds a page: of rows that come one by one only one is held, and a server whose rows
/// nobody takes waits.
class StreamVisit {
public:
    StreamVisit(const StreamName& stream, Version from, std::size_t page, const TakeEvent& take)
        : stream_(stream),
          take_(take),
          next_(std::max<std::int64_t>(from.value, 1)),
          page_(static_cast<std::int64_t>(std::clamp<std::size_t>(page, 1, 1'000'000))) {}

    /// To the end, or on when the session before was lost.
    void go_on(Session& session) {
        for (bool end = false; wanted_ && !end;) {
            const std::int64_t first = next_;
            session.run_rows(statements(), [this](std::size_t statement, const Result& row) {
                if (statement == 1) return take(row);
                head_ = Version{row.integer(0, 0)};
                if (!erasures_) erasures_ = row.integer(0, 2);
                return true;
            });
            end = next_ - first < page_ || next_ > head_.value;
        }
        if (wanted_ && next_ <= head_.value)
            lacks_version(stream_, Version{next_}, head_, session.name());
    }
    /// As of before the first event was read.
    [[nodiscard]] std::int64_t erasures() const { return erasures_.value_or(0); }
    /// What whoever takes the events threw, which is the end of the visit. It says nothing about a
    /// session, whatever it is.
    void rethrow() const {
        if (thrown_) std::rethrow_exception(thrown_);
    }

private:
    [[nodiscard]] std::vector<Statement> statements() const {
        return {{head_of_stream, {text(stream_.full())}},
                {rows_of_stream, {text(stream_.full()), bigint(next_), bigint(page_)}}};
    }
    bool take(const Result& row) {
        read_event(event_parts(row, 0), event_);
        check_row(event_, stream_, Version{next_});
        ++next_;
        try {
            return wanted_ = take_(event_);
        } catch (...) {
            thrown_ = std::current_exception();
            return wanted_ = false;
        }
    }

    const StreamName& stream_;
    const TakeEvent& take_;
    std::int64_t next_;  // version
    std::int64_t page_;
    Version head_;  // as it was before the page was read
    std::optional<std::int64_t> erasures_;
    bool wanted_ = true;
    std::exception_ptr thrown_;
    RecordedEvent event_;  // one after the other
};

}  // namespace

std::int64_t visit_stream(Pool& pool, const StreamName& stream, Version from, std::size_t page,
                          const TakeEvent& take) {
    StreamVisit visit{stream, from, page, take};
    pool.with_session([&](Session& session) { visit.go_on(session); });
    visit.rethrow();
    return visit.erasures();
}

}  // namespace recount::postgres
