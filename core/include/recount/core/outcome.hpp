#pragma once

#include <optional>
#include <string>

#include <recount/core/append.hpp>

namespace recount {

/// What a command came to, as its caller sees it: true unless refused or voided.
class [[nodiscard]] Outcome {
public:
    Outcome() = default;
    Outcome(CommandOutcome outcome, bool repeated)
        : outcome_(std::move(outcome)), repeated_(repeated) {}

    explicit operator bool() const { return !refused() && !voided(); }
    [[nodiscard]] bool refused() const { return outcome_.kind == CommandOutcome::Kind::refused; }
    [[nodiscard]] bool nothing() const { return outcome_.kind == CommandOutcome::Kind::nothing; }
    /// The command id was voided before it could happen.
    [[nodiscard]] bool voided() const { return outcome_.kind == CommandOutcome::Kind::voided; }
    /// This is the first outcome of a command id that came again.
    [[nodiscard]] bool repeated() const { return repeated_; }
    /// Why not. Of a voided command the code is "voided"; what is recorded of it has none.
    [[nodiscard]] const Rejection& rejection() const {
        static const Rejection was_voided{"voided", "its command id was voided before it happened"};
        return voided() ? was_voided : outcome_.rejection;
    }
    [[nodiscard]] const std::string& command_id() const { return outcome_.command_id; }
    /// The version of the (first) stream written; 0 when none was.
    [[nodiscard]] Version version() const {
        return outcome_.streams.empty() ? Version{} : outcome_.streams.front().last;
    }
    [[nodiscard]] const StorePositions& reached() const { return outcome_.reached; }
    [[nodiscard]] const CommandOutcome& details() const { return outcome_; }

private:
    CommandOutcome outcome_;
    bool repeated_ = false;
};

}  // namespace recount
