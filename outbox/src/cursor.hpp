#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <recount/core/values.hpp>

namespace recount {

/// How far a partition is known to be in the topic: everything up to `n` was confirmed.
struct Cursor {
    std::int64_t n = 0;
    Hash hash;  // of that event; the origin's when none
    friend bool operator==(const Cursor&, const Cursor&) = default;
};

/// Keeps the cursors of one topic, and says who may move them. One thread at a time.
class Cursors {
public:
    virtual ~Cursors() = default;

    /// Takes the lease, or keeps it; false while another relay has it. Throws Unavailable.
    virtual bool hold() = 0;
    /// True while the lease is ours for sure, by our own clock; asks nobody.
    [[nodiscard]] virtual bool held() const = 0;
    /// Gives the lease back, so that another need not wait for its end.
    virtual void release() = 0;

    /// One a partition, at its beginning when none was saved.
    virtual std::vector<Cursor> load(const std::string& topic) = 0;
    /// Throws Fenced when the lease was lost; nothing was saved then.
    virtual void save(const std::string& topic, const std::vector<Cursor>& cursors) = 0;
};

}  // namespace recount
