#include "cursor.hpp"

#include <algorithm>
#include <limits>
#include <span>
#include <utility>

#include <recount/core/error.hpp>
#include <recount/core/event.hpp>
#include <recount/core/hash.hpp>
#include <recount/core/ids.hpp>

#include "loading.hpp"
#include "recount/saga.pb.h"

namespace recount::saga {
namespace {

static_assert(reserved_category(Saga::category) && reserved_category(alarm_category) &&
                  reserved_category(cursor_category),
              "no State of a user may write here");

/// Far below the limits of an event and of an append.
std::size_t page_bytes(const AppendLimits& limits) {
    return std::min(std::size_t{256} << 10, limits.event_bytes / 2);
}
std::size_t pages_an_append(const AppendLimits& limits) {
    const std::size_t fit = limits.append_bytes / (page_bytes(limits) + page_bytes(limits) / 4);
    return std::clamp<std::size_t>(std::min(fit, limits.append_events), 1, 12);
}

StreamName cursor_stream(std::string_view kind) { return StreamName{cursor_category, kind}; }

/// Of an id for which there is room in a saga's stream, but not in this longer name, a hash.
StreamName alarm_stream(std::string_view kind, std::string_view id) {
    const std::string name = std::string{kind} + ".";
    const std::size_t bytes = alarm_category.size() + 1 + name.size() + id.size();
    const bool fits = bytes <= StreamName::max_bytes;
    return {alarm_category, name + (fits ? std::string{id} : to_string(sha256(id)))};
}

/// Pages of bounded size; all but the first hold nothing but ids.
std::vector<v1::CursorMoved> pages_of(EventStore& store, const Cursor& cursor) {
    std::vector<v1::CursorMoved> pages(1);
    pages[0].set_incarnation(std::string{store.identity().incarnation.view()});
    for (const std::int64_t n : cursor.positions.values()) pages[0].add_positions(n);
    const std::size_t most = page_bytes(store.limits());
    std::size_t bytes = 0;
    const auto page_for = [&](const std::string& id) -> v1::CursorMoved& {
        const std::size_t more = id.size() + 4;  // with its tag and length
        if (bytes + more > most) {
            pages.emplace_back();
            bytes = 0;
        }
        bytes += more;
        return pages.back();
    };
    for (const std::string& id : cursor.open) page_for(id).add_open(id);
    for (const auto& [id, why] : cursor.attention) page_for(id).add_attention(id);
    if (pages.size() == 1) return pages;

    const Uuid move = new_uuid7(store.environment());
    for (v1::CursorMoved& page : pages) {
        page.set_move(std::string{move.view()});
        page.set_pages(static_cast<std::uint32_t>(pages.size()));
    }
    return pages;
}

Append append_pages(EventStore& store, const std::string& kind,
                    std::span<const v1::CursorMoved> pages, Expected expected) {
    Append append;
    StreamWrite write{cursor_stream(kind), expected, {}};
    for (const v1::CursorMoved& page : pages) write.events.push_back(new_event(page));
    append.writes.push_back(std::move(write));
    append.metadata.command_id = to_string(new_uuid7(store.environment()));
    append.request = request_hash(append);
    return append;
}

Cursor cursor_from(EventStore& store, const std::string& kind, const v1::CursorMoved& moved) {
    Cursor cursor;
    cursor.positions = Positions{static_cast<std::size_t>(store.identity().partitions)};
    for (int i = 0; i < moved.positions_size(); ++i)
        cursor.positions.set({Partition{i}, moved.positions(i)});
    cursor.open.assign(moved.open().begin(), moved.open().end());
    for (const std::string& id : moved.attention()) cursor.attention.emplace(id, "");
    const StorePositions covered{store.identity().id, Uuid::from(moved.incarnation()),
                                 cursor.positions};
    if (!still_holds(covered, store.incarnations()))
        throw Mismatch("stream " + cursor_stream(kind).full() + " of " + store.identity().name +
                       " covers events of a history that was given up; register the saga \"" +
                       kind + "\" under a new name, or restore the store it knew");
    return cursor;
}

/// The newest cursor of which every page is there: an engine may have died between two appends.
std::optional<v1::CursorMoved> last_moved(Streams& store, const StreamName& stream) {
    struct Found {
        v1::CursorMoved whole;
        std::uint32_t pages = 0;
    };
    std::map<std::string, Found> by_move;
    Version from{std::numeric_limits<std::int64_t>::max()};
    while (from >= Version{1}) {
        const StreamPage page = store.read_stream(
            stream, {.from = from, .max_events = 16, .direction = Direction::backwards});
        if (page.events.empty()) break;
        for (const RecordedEvent& event : page.events) {
            const auto moved = parse_as<v1::CursorMoved>(event);
            Found& found = by_move[moved.move()];
            found.whole.MergeFrom(moved);
            if (++found.pages >= moved.pages()) return std::move(found.whole);
        }
        from = Version{page.events.back().at.version.value - 1};
    }
    return std::nullopt;
}

}  // namespace

Cursor open_cursor(EventStore& store, const std::string& kind, bool from_beginning) {
    const StreamName stream = cursor_stream(kind);
    if (const auto last = last_moved(store, stream)) return cursor_from(store, kind, *last);

    Cursor cursor;
    cursor.positions = Positions{static_cast<std::size_t>(store.identity().partitions)};
    if (!from_beginning) {
        const std::vector<LogHead> heads = store.heads();
        for (std::int32_t p = 0; p < store.identity().partitions; ++p)
            cursor.positions.set({Partition{p}, heads.at(static_cast<std::size_t>(p)).n});
    }
    std::vector<v1::CursorMoved> pages = pages_of(store, cursor);
    pages[0].set_first(true);
    const AppendResult result =
        store.append(append_pages(store, kind, pages, Expected::no_stream()));
    if (result.outcome) return cursor;
    // Another engine registered it meanwhile: the first registration counts.
    const auto last = last_moved(store, stream);
    if (!last) throw Contended("stream " + stream.full() + " appeared and went; try again");
    return cursor_from(store, kind, *last);
}

bool let_alarm_go(Streams& streams, std::string_view kind, std::string_view id,
                  std::string_view by) {
    const auto last = last_moved(streams, cursor_stream(kind));
    if (!last) return false;
    const auto& waiting = last->attention();
    if (std::find(waiting.begin(), waiting.end(), id) == waiting.end()) return false;

    v1::SagaResumed resumed;
    resumed.set_by(std::string{by});
    resumed.set_at_us(streams.environment().clock.now().time_since_epoch().count());
    Append append;
    append.writes.push_back({alarm_stream(kind, id), Expected::any(), {new_event(resumed)}});
    append.metadata.command_id = to_string(new_uuid7(streams.environment()));
    append.metadata.correlation_id = stream_of(kind, id).full();
    append.request = request_hash(append);
    static_cast<void>(streams.append(append));  // where nothing is expected, nothing conflicts
    return true;
}

std::vector<Append> appends_of(EventStore& store, const std::string& kind, const Cursor& cursor) {
    const std::vector<v1::CursorMoved> pages = pages_of(store, cursor);
    std::vector<Append> appends;
    for (std::span<const v1::CursorMoved> rest{pages}; !rest.empty();) {
        const auto next = rest.first(std::min(rest.size(), pages_an_append(store.limits())));
        appends.push_back(append_pages(store, kind, next, Expected::any()));
        rest = rest.subspan(next.size());
    }
    return appends;
}

}  // namespace recount::saga
