#pragma once

#include <any>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <recount/core/outcome.hpp>
#include <recount/core/streams.hpp>

namespace recount {

/// Commands that are decided one by one, each on what the earlier ones made of its stream, and
/// committed together in one transaction, each with an outcome of its own. A command whose stream
/// was changed by another meanwhile is decided again by itself. For replays and engines
/// that have many commands at hand; it saves commits, not checks. One thread at a time; the
/// repositories and the store must outlive it.
///
///     recount::Batch batch{store};
///     for (const auto& line : lines)
///         carts.enqueue(batch, line.cart, add(line), {.command_id = line.id});
///     for (const recount::Outcome& outcome : batch.commit()) …
class Batch {
public:
    explicit Batch(Streams& streams) : streams_(streams) {}
    Batch(const Batch&) = delete;
    Batch& operator=(const Batch&) = delete;

    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    /// Outcomes in the order of the commands; the batch is then empty. When it throws, the batch is
    /// unchanged and may be committed again: command ids make that safe. A command that cannot
    /// succeed (its id was used for another) does not stop the others; its error is thrown when all
    /// are done.
    std::vector<Outcome> commit();
    /// Forgets what was not committed.
    void clear();

private:
    template <class State>
    friend class Repository;

    /// Of what became of its append: the outcome, or the command done again.
    using Settle = std::function<Outcome(AppendResult)>;
    struct Entry {
        bool sent;  // with an append of its own; else it is only to be settled, by itself
        Settle settle;
    };
    void add(std::optional<Append> append, Settle settle);
    std::vector<AppendResult> append_all();

    Streams& streams_;
    std::vector<Entry> entries_;
    std::vector<Append> appends_;                       // in the order of the entries that are sent
    std::unordered_map<std::string, std::any> states_;  // by State and stream, with what is pending
    std::unordered_map<std::string, std::string> last_;  // by stream, whose command wrote last
    std::vector<std::function<void()>> after_;           // of each stream, once all are settled
};

}  // namespace recount
