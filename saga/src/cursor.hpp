#pragma once

#include <map>
#include <string>
#include <vector>

#include <recount/eventstore/event_store.hpp>

namespace recount::saga {

/// From where the engine goes on for one kind of saga, as the last event of a stream of its own
/// (category "sagacursor"). What it claims holds at any time: every start up to `positions` has
/// begun its saga, and each such saga is in `open`, or has ended, or waits for a person.
struct Cursor {
    Positions positions;
    std::vector<std::string> open;
    std::map<std::string, std::string> attention;  // id → why; the reason is read from the saga
};

/// Reads the cursor of a kind; the first time, registers it: at the head of the log, or at its
/// beginning. Throws Mismatch when the store was restored to before what the cursor covers.
Cursor open_cursor(EventStore& store, const std::string& kind, bool from_beginning);

/// The append that moves it. Two engines may write in turns: each one's claim holds by itself.
Append append_of(EventStore& store, const std::string& kind, const Cursor& cursor);

}  // namespace recount::saga
