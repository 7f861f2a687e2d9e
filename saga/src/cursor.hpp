#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <recount/eventstore/event_store.hpp>

namespace recount::saga {

/// From where the engine goes on for one kind of saga, as the end of a stream of its own (category
/// "sagacursor"): one event, or as many as hold all ids. What it claims holds at any time: every
/// start up to `positions` has begun its saga, and each such saga is in `open`, or has ended, or is
/// in `attention`.
struct Cursor {
    Positions positions;
    std::vector<std::string> open;
    std::map<std::string, std::string> attention;  // id → why; the reason is read from the saga
};

/// Reads the cursor of a kind; the first time, registers it: at the head of the log, or at its
/// beginning. Throws Mismatch when the store was restored to before what the cursor covers.
Cursor open_cursor(EventStore& store, const std::string& kind, bool from_beginning);

/// The appends that move it: one, unless that would be too large for a store. It is moved when all
/// are there. Engines may write in turns, and between each other's: each one's claim holds by
/// itself.
std::vector<Append> appends_of(EventStore& store, const std::string& kind, const Cursor& cursor);

/// The category of streams "sagaalarm-<name>.<id>", where it is recorded that a person has dealt
/// with a saga whose own stream takes or gives nothing any more. That is the event's correlation:
/// where the name would be too long, a hash stands in it for the id.
constexpr std::string_view alarm_category = "sagaalarm";
constexpr std::string_view cursor_category = "sagacursor";

/// Records it, when the cursor of its kind holds an alarm; false when it holds none.
bool let_alarm_go(Streams& streams, std::string_view kind, std::string_view id,
                  std::string_view by);

}  // namespace recount::saga
