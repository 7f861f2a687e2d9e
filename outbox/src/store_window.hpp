#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <recount/core/error.hpp>
#include <recount/eventstore/event_store.hpp>

namespace recount {

/// One partition of a store, looked at by position: mostly the next one, now and then one from
/// further back. Holds two pages. One thread at a time.
class StoreWindow {
public:
    StoreWindow(EventStore& store, Partition partition) : store_(store), partition_(partition) {}

    struct Look {
        const RecordedEvent* event = nullptr;  // until the next call; nothing: not there
        std::string broken;  // why the store's own event cannot be trusted; empty: it can
        std::string unsure;  // why nobody can say whether it is there; empty: it can be said
    };
    /// Throws Unavailable, also when the store began another incarnation.
    Look at(std::int64_t n);
    /// As at(), but what the store holds now: since a page was read its events may be erased.
    Look now(std::int64_t n);
    /// The store's head, at least as new as `n` needs it.
    std::int64_t head_for(std::int64_t n);
    void learn_head(std::int64_t head) { head_ = head; }
    [[nodiscard]] std::int64_t head() const { return head_; }

private:
    const RecordedEvent* find(std::int64_t n);
    LogPage read(std::int64_t n, std::size_t events);
    Look broken(const Divergence& error);
    Look beyond(std::int64_t n);
    void require_living_incarnation();

    EventStore& store_;
    Partition partition_;
    std::int64_t head_ = 0;
    std::array<std::vector<RecordedEvent>, 2> pages_;
    std::size_t last_ = 0;  // the page that was of use last
    std::vector<RecordedEvent> now_;
};

}  // namespace recount
