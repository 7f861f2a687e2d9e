#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <recount/eventstore/lease.hpp>

namespace recount {

/// How far a partition is known to be in the topic: everything up to `n` was confirmed.
struct Cursor {
    std::int64_t n = 0;
    Hash hash;  // of that event; the origin's when none
    friend bool operator==(const Cursor&, const Cursor&) = default;
};

/// Where the last message that was confirmed in a partition of a topic is, and of which event.
struct LastMessage {
    std::int64_t offset = -1;  // -1: none
    Uuid event_id;
    friend bool operator==(const LastMessage&, const LastMessage&) = default;
};

/// What a relay remembers of a topic.
struct Progress {
    std::vector<Cursor> cursors;  // one a partition of the store
    /// For each of the topic's partitions the offset of the last record known there; -1: none.
    /// Empty where the topic itself tells how far it is.
    std::vector<std::int64_t> last_offsets;
    /// For as many of them, or none: relays of earlier programs remembered no messages.
    std::vector<LastMessage> last_messages;
    friend bool operator==(const Progress&, const Progress&) = default;
};

/// Keeps the cursors of one topic, and says who may move them. One thread at a time.
class Cursors {
public:
    virtual ~Cursors() = default;

    /// Takes the lease, or keeps it; false while another relay has it. Throws Unavailable.
    virtual bool hold() = 0;
    /// True while the lease is ours for sure, by our own clock; asks nobody.
    [[nodiscard]] virtual bool held() const = 0;
    /// Renews the lease, if it is ours, and looks where the store ends. Throws Unavailable.
    virtual StoreEnd renew(EventStore& store) = 0;
    /// Gives the lease back, so that another need not wait for its end.
    virtual void release() = 0;

    /// One a partition, at its beginning when none was saved.
    virtual Progress load(const std::string& topic) = 0;
    /// Throws Fenced when the lease was lost; nothing was saved then.
    virtual void save(const std::string& topic, const Progress& progress) = 0;
};

}  // namespace recount
