#include <recount/projections/consistency.hpp>

namespace recount {

Consistency Consistency::wait_for(Duration at_most) const {
    Consistency changed = *this;
    changed.wait_ = at_most;
    return changed;
}

Consistency Consistency::serve_stale() const {
    Consistency changed = *this;
    changed.serve_stale_ = true;
    return changed;
}

Duration Consistency::wait() const {
    if (wait_) return *wait_;
    return serve_stale_ ? Duration::zero() : Duration{std::chrono::seconds{1}};
}

Consistency eventual() { return Consistency{Consistency::Level::eventual}; }

Consistency session(Session& session) {
    Consistency consistency{Consistency::Level::session};
    consistency.session_ = &session;
    return consistency;
}

Consistency bounded(std::int64_t events, Duration age) {
    Consistency consistency{Consistency::Level::bounded};
    consistency.max_events_ = events;
    consistency.max_age_ = age;
    return consistency;
}

Consistency strong() { return Consistency{Consistency::Level::strong}; }

}  // namespace recount
