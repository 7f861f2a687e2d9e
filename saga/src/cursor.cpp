#include "cursor.hpp"

#include <algorithm>
#include <limits>

#include <recount/core/error.hpp>
#include <recount/core/event.hpp>
#include <recount/core/hash.hpp>
#include <recount/core/ids.hpp>

#include "loading.hpp"
#include "recount/saga.pb.h"

namespace recount::saga {
namespace {

constexpr std::size_t listed_attention = 1000;  // ids kept; the sagas themselves are never lost

StreamName cursor_stream(std::string_view kind) { return StreamName{"sagacursor", kind}; }

/// Of an id for which there is room in a saga's stream, but not in this longer name, a hash.
StreamName alarm_stream(std::string_view kind, std::string_view id) {
    const std::string name = std::string{kind} + ".";
    const std::size_t bytes = alarm_category.size() + 1 + name.size() + id.size();
    const bool fits = bytes <= StreamName::max_bytes;
    return {alarm_category, name + (fits ? std::string{id} : to_string(sha256(id)))};
}

v1::CursorMoved moved_to(EventStore& store, const Cursor& cursor) {
    v1::CursorMoved moved;
    moved.set_incarnation(std::string{store.identity().incarnation.view()});
    for (const std::int64_t n : cursor.positions.values()) moved.add_positions(n);
    for (const std::string& id : cursor.open) moved.add_open(id);
    for (const auto& [id, why] : cursor.attention) {
        if (moved.attention_size() >= static_cast<int>(listed_attention)) break;
        moved.add_attention(id);
    }
    return moved;
}

Append append_moved(EventStore& store, const std::string& kind, const v1::CursorMoved& moved,
                    Expected expected) {
    Append append;
    append.writes.push_back({cursor_stream(kind), expected, {new_event(moved)}});
    append.metadata.command_id = to_string(new_uuid7(store.environment()));
    append.request = request_hash(append);
    return append;
}

Cursor cursor_from(EventStore& store, const std::string& kind, const RecordedEvent& event) {
    const auto moved = parse_as<v1::CursorMoved>(event);
    Cursor cursor;
    cursor.positions = Positions{static_cast<std::size_t>(store.identity().partitions)};
    for (int i = 0; i < moved.positions_size(); ++i)
        cursor.positions.set({Partition{i}, moved.positions(i)});
    cursor.open.assign(moved.open().begin(), moved.open().end());
    for (const std::string& id : moved.attention()) cursor.attention.emplace(id, "");
    const StorePositions covered{store.identity().id, Uuid::from(moved.incarnation()),
                                 cursor.positions};
    if (!still_holds(covered, store.incarnations()))
        throw Mismatch("stream " + event.at.stream.full() + " of " + store.identity().name +
                       " covers events of a history that was given up; register the saga \"" +
                       kind + "\" under a new name, or restore the store it knew");
    return cursor;
}

std::optional<RecordedEvent> last_event(Streams& store, const StreamName& stream) {
    StreamPage page =
        store.read_stream(stream, {.from = Version{std::numeric_limits<std::int64_t>::max()},
                                   .max_events = 1,
                                   .direction = Direction::backwards});
    if (page.events.empty()) return std::nullopt;
    return std::move(page.events.front());
}

}  // namespace

Cursor open_cursor(EventStore& store, const std::string& kind, bool from_beginning) {
    const StreamName stream = cursor_stream(kind);
    if (const auto last = last_event(store, stream)) return cursor_from(store, kind, *last);

    Cursor cursor;
    cursor.positions = Positions{static_cast<std::size_t>(store.identity().partitions)};
    if (!from_beginning) {
        const std::vector<LogHead> heads = store.heads();
        for (std::int32_t p = 0; p < store.identity().partitions; ++p)
            cursor.positions.set({Partition{p}, heads.at(static_cast<std::size_t>(p)).n});
    }
    v1::CursorMoved moved = moved_to(store, cursor);
    moved.set_first(true);
    const AppendResult result =
        store.append(append_moved(store, kind, moved, Expected::no_stream()));
    if (result.outcome) return cursor;
    // Another engine registered it meanwhile: the first registration counts.
    const auto last = last_event(store, stream);
    if (!last) throw Contended("stream " + stream.full() + " appeared and went; try again");
    return cursor_from(store, kind, *last);
}

bool let_alarm_go(Streams& streams, std::string_view kind, std::string_view id,
                  std::string_view by) {
    const auto last = last_event(streams, cursor_stream(kind));
    if (!last) return false;
    const auto cursor = parse_as<v1::CursorMoved>(*last);
    const auto& waiting = cursor.attention();
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

Append append_of(EventStore& store, const std::string& kind, const Cursor& cursor) {
    return append_moved(store, kind, moved_to(store, cursor), Expected::any());
}

}  // namespace recount::saga
