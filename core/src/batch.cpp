#include <recount/core/batch.hpp>

#include <recount/core/error.hpp>

#include <exception>
#include <utility>

namespace recount {
namespace {

/// What a command that was not sent with the group is told, so that it is handled by itself.
AppendResult not_sent() { return {}; }

}  // namespace

void Batch::add(std::optional<Append> append, Settle settle) {
    const bool sent = append.has_value();
    if (sent) appends_.push_back(*std::move(append));
    try {
        entries_.push_back({sent, std::move(settle)});
    } catch (...) {
        if (sent) appends_.pop_back();
        throw;
    }
}

/// What a store refuses for good may be one command's doing: then each is handled by itself.
std::vector<AppendResult> Batch::append_all() {
    if (appends_.empty()) return {};
    try {
        return streams_.append(appends_);
    } catch (const OutcomeUnknown&) {
        throw;
    } catch (const Error& error) {
        if (error.retryable() || entries_.size() == 1) throw;
    }
    return std::vector<AppendResult>(appends_.size(), not_sent());
}

std::vector<Outcome> Batch::commit() {
    std::vector<AppendResult> results = append_all();
    std::vector<Outcome> outcomes;
    std::exception_ptr first_error;
    std::size_t next = 0;
    for (const Entry& entry : entries_) {
        AppendResult result = entry.sent ? std::move(results[next++]) : not_sent();
        try {
            outcomes.push_back(entry.settle(std::move(result)));
        } catch (...) {
            // The others go on: each command has a verdict of its own.
            if (!first_error) first_error = std::current_exception();
        }
    }
    for (const auto& after : after_) after();
    if (first_error) std::rethrow_exception(first_error);
    clear();
    return outcomes;
}

void Batch::clear() {
    entries_.clear();
    appends_.clear();
    after_.clear();
    states_.clear();
    last_.clear();
}

}  // namespace recount
