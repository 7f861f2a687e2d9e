#pragma once

#include <stdexcept>
#include <string>

namespace recount {

/// Everything that recount throws. A refusal is not an error: it is a value (see Decision,
/// Outcome). The message names the stream, partition or topic, what was expected, what is there,
/// and ends with what to do. A subclass exists only where a caller would act differently.
class Error : public std::runtime_error {
public:
    explicit Error(const std::string& message, bool retryable = false)
        : std::runtime_error(message), retryable_(retryable) {}

    /// True when the same call may succeed later, unchanged.
    [[nodiscard]] bool retryable() const noexcept { return retryable_; }

private:
    bool retryable_;
};

/// The caller passed something that can never be accepted. Nothing was read or written.
class InvalidArgument : public Error {
public:
    explicit InvalidArgument(const std::string& message) : Error(message) {}
};

/// The database or broker cannot be reached, or is not able to answer now. Nothing was committed.
class Unavailable : public Error {
public:
    explicit Unavailable(const std::string& message) : Error(message, true) {}
};

/// A queue is full. Nothing was taken; try again later.
class Overloaded : public Error {
public:
    explicit Overloaded(const std::string& message) : Error(message, true) {}
};

/// The store became unreachable while it was committing: the append may or may not be there. Send
/// the same append again (its command id makes that safe) or void its id; never assume.
/// Not retryable where the command's id was made by the callee: another call would be another
/// command. The message names it then.
class OutcomeUnknown : public Error {
public:
    explicit OutcomeUnknown(const std::string& message, bool retryable = true)
        : Error(message, retryable) {}
};

/// A command id was used again with other content. Nothing was written.
class CommandReused : public Error {
public:
    explicit CommandReused(const std::string& message) : Error(message) {}
};

/// A command id was born before the horizon up to which outcomes are remembered. Never run again.
class CommandExpired : public Error {
public:
    explicit CommandExpired(const std::string& message) : Error(message) {}
};

/// The stream was closed for ever. Nothing was written.
class StreamClosed : public Error {
public:
    explicit StreamClosed(const std::string& message) : Error(message) {}
};

/// Others kept changing the stream; every attempt that was allowed has been made.
class Contended : public Error {
public:
    explicit Contended(const std::string& message) : Error(message, true) {}
};

/// The store, file, schema or topic is not the one this program was set up for. Left untouched.
class Mismatch : public Error {
public:
    explicit Mismatch(const std::string& message) : Error(message) {}
};

/// The store, file or schema that was named is not there, and was not to be made.
class Missing : public Mismatch {
public:
    explicit Missing(const std::string& message) : Mismatch(message) {}
};

/// The log is not what it was: a hash does not follow from the one before, events are missing, or
/// two histories claim one position. Stop and look; nothing was applied.
class Divergence : public Error {
public:
    explicit Divergence(const std::string& message) : Error(message) {}
};

/// An event's type is not known here, or its bytes cannot be read as that type.
class UnreadableEvent : public Error {
public:
    explicit UnreadableEvent(const std::string& message) : Error(message) {}
};

/// A read could not be as fresh as was asked within the time that was allowed.
class NotThereYet : public Error {
public:
    explicit NotThereYet(const std::string& message) : Error(message, true) {}
};

/// The owner of a partition or process lost it to another; its work was rolled back.
class Fenced : public Error {
public:
    explicit Fenced(const std::string& message) : Error(message, true) {}
};

}  // namespace recount
