#pragma once

#include "eventstore/contract/store_contract.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace recount::test {

/// What a program asked of a store whose disk fails, and what it was told: the witness against
/// whom the store is held afterwards.
class History {
public:
    enum class Told : std::uint8_t {
        outcome,   // committed, repeated or voided: it must be there for ever
        conflict,  // nothing was written
        failed,    // nothing was written: the store said Unavailable
        unknown,   // it may be there or not, whole
    };

    /// Never throws what a fault of the disk may cause; fails the test for anything else.
    void append(EventStore& store, const std::vector<Append>& group);
    void void_command(EventStore& store, const std::string& id);
    /// Four events in chunks of two, into the stream "import-<id>".
    void import(EventStore& store, const std::string& id);

    /// Everything that was told is so: outcomes, whole appends, the chain.
    void expect_kept(EventStore& store) const;
    /// Of a store that may lose its end with the power: what there is, is whole, and is the
    /// beginning of what was told. Returns how many of the outcomes that were told it lost.
    [[nodiscard]] std::size_t expect_beginning(EventStore& store) const;
    /// Asks everything again on a disk that works: told is repeated, failed is done now, and what
    /// was unknown is one of the two.
    void settle(EventStore& store);

    [[nodiscard]] std::size_t count(Told told) const;

private:
    struct Asked {
        Append append;  // nothing but an id when it is to be voided
        bool voids = false;
        Told told = Told::failed;
        CommandOutcome outcome;
    };

    Asked& asked(const Append& append, bool voids);
    void note(const Append& append, const AppendResult& result);
    static std::map<std::string, std::size_t> events_by_append(EventStore& store);
    static void expect_whole(const Asked& one, const std::optional<CommandOutcome>& outcome,
                             const std::map<std::string, std::size_t>& events);

    std::vector<Asked> asked_;
    std::map<std::string, std::int64_t> imports_;  // how many events were acknowledged, by id
};

/// What any fault of the disk may make an operation throw, and nothing else. False when it threw.
template <class Do>
bool survives(const Do& run) {
    try {
        run();
        return true;
    } catch (const Error& error) {
        EXPECT_TRUE(error.retryable()) << error.what();
        return false;
    }
}

}  // namespace recount::test
