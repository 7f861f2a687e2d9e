#pragma once

#include <atomic>

#include <recount/core/streams.hpp>
#include <recount/core/upcast.hpp>

namespace recount {

/// Asks a store, before the first event is read, whether its events of Owner's types mean here what
/// they meant where they were written; once. What would be misread would be decided on otherwise.
/// Thread-safe.
template <class Owner, class List = typename Owner::Event>
class ReadableTypes {
public:
    /// Throws as Streams::require_readable, and asks again the next time then.
    void require(Streams& streams) {
        if (asked_.load(std::memory_order_relaxed)) return;
        streams.require_readable(types_read<Owner, List>());
        asked_.store(true, std::memory_order_relaxed);
    }

private:
    std::atomic<bool> asked_ = false;
};

}  // namespace recount
