#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include <recount/core/append.hpp>
#include <recount/core/streams.hpp>
#include <recount/saga/state.hpp>

namespace recount::saga {

/// The stream of a saga; throws InvalidArgument for ids that a stream cannot have.
StreamName stream_of(std::string_view name, std::string_view id);

/// Which event recorded that a step was sent: what its command names as its cause.
class Sends {
public:
    template <class Steps>
    void note(std::string event_id, const Steps& steps) {
        for (const std::uint32_t step : steps) {
            if (by_step_.size() <= step) by_step_.resize(step + 1);
            by_step_[step] = static_cast<std::uint32_t>(events_.size());
        }
        events_.push_back(std::move(event_id));
    }
    /// Those that a decision holds, when it is appended under this id.
    void note(const Decision<Saga>& decision, const std::string& command_id);
    [[nodiscard]] const std::string& of(std::uint32_t step) const;

private:
    std::vector<std::string> events_;
    std::vector<std::uint32_t> by_step_;  // index into events_
};

/// A saga from its stream, and the version that was read.
struct LoadedSaga {
    Saga saga;
    Version version;
    Sends sends;
    bool closed = false;  // nothing can be recorded of it any more
};
LoadedSaga load(Streams& streams, const StreamName& stream);

/// True when a stream that cannot be read as a saga, because it was erased, says by the types of
/// its last events that the saga had ended.
bool end_is_recorded(Streams& streams, const StreamName& stream);

/// True for an error that the saga whose stream was read or written has by itself. Others may pass,
/// or concern the whole store, and all sagas with it.
bool is_its_own(const std::exception& error);

/// The append of one move: expected at the version it was decided on, its id following from that
/// and from its content.
Append append_of(const StreamName& stream, Version version, const Move& move);

/// What came of one append of a group: a result, or why it can never be appended.
struct Verdict {
    std::optional<AppendResult> result;
    std::string error;

    [[nodiscard]] bool done() const { return result && result->outcome; }
    [[nodiscard]] Version version() const { return result->outcome->streams.at(0).last; }
};

/// Appends in groups of bounded size, each with a verdict of its own. Throws only what may pass.
std::vector<Verdict> append_each(Streams& streams, std::span<const Append> appends);

}  // namespace recount::saga
