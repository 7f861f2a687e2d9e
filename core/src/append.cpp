#include <recount/core/append.hpp>

#include <recount/core/error.hpp>

#include "hasher.hpp"

namespace recount {
namespace {

void add_text(Sha256& hasher, std::string_view text) { hasher.add_u64(text.size()).add(text); }

void add_expected(Sha256& hasher, const StreamName& stream, const Expected& expected) {
    add_text(hasher, stream.full());
    hasher.add_u32(static_cast<std::uint32_t>(expected.kind()));
    hasher.add_u64(static_cast<std::uint64_t>(expected.version().value));
}

}  // namespace

bool Expected::holds(Version actual) const {
    switch (kind_) {
        case Kind::any:
            return true;
        case Kind::no_stream:
            return actual.value == 0;
        case Kind::exists:
            return actual.value > 0;
        case Kind::exactly:
            return actual == version_;
    }
    return false;
}

std::string to_string(const Expected& expected) {
    switch (expected.kind()) {
        case Expected::Kind::any:
            return "any";
        case Expected::Kind::no_stream:
            return "no stream";
        case Expected::Kind::exists:
            return "exists";
        case Expected::Kind::exactly:
            break;
    }
    return "version " + std::to_string(expected.version().value);
}

std::string to_string(const Conflict& conflict) {
    std::string text;
    for (const FailedCheck& check : conflict.failed) {
        if (!text.empty()) text += "; ";
        if (check.closed) {
            text += "stream " + check.stream.full() + ": closed at version " +
                    std::to_string(check.actual.value);
            continue;
        }
        text += "stream " + check.stream.full() + ": expected " + to_string(check.expected) +
                ", there is " +
                (check.actual.value == 0 ? "no stream"
                                         : "version " + std::to_string(check.actual.value));
    }
    return text.empty() ? "no check failed" : text;
}

AppendResult accepted(AppendResult result) {
    if (result.kind == AppendResult::Kind::reused) throw CommandReused(result.message);
    if (result.kind == AppendResult::Kind::closed) throw StreamClosed(result.message);
    if (result.kind == AppendResult::Kind::expired) throw CommandExpired(result.message);
    return result;
}

Hash request_hash(const Append& append) {
    Sha256& hasher = thread_hasher().add("recount/append/1");
    hasher.add_u64(append.writes.size());
    for (const StreamWrite& write : append.writes) {
        add_expected(hasher, write.stream, write.expected);
        hasher.add_u64(write.events.size());
        for (const NewEvent& event : write.events) {
            add_text(hasher, event.type);
            add_text(hasher, event.encoding);
            add_text(hasher, event.payload);
        }
    }
    hasher.add_u64(append.checks.size());
    for (const StreamCheck& check : append.checks) {
        add_expected(hasher, check.stream, check.expected);
    }
    hasher.add_u32(append.rejection ? 1 : 0);
    if (append.rejection) {
        add_text(hasher, append.rejection->code);
        add_text(hasher, append.rejection->detail);
    }
    return hasher.finish();
}

}  // namespace recount
