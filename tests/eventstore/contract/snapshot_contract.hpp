#pragma once

#include <recount/core.hpp>

#include <functional>
#include <utility>

#include "eventstore/contract/store_contract.hpp"
#include "kept_account.hpp"

namespace recount::test {

/// Passes everything on to a store, counts the reads, and fails to keep snapshots when told to.
class CountedReads final : public Streams, public SnapshotStore {
public:
    explicit CountedReads(EventStore& to) : to_(to) {}

    [[nodiscard]] const StoreIdentity& identity() const override { return to_.identity(); }
    Environment& environment() override { return to_.environment(); }
    std::vector<AppendResult> append(std::span<const Append> group) override {
        return to_.append(group);
    }
    std::optional<CommandOutcome> find_outcome(std::string_view command_id) override {
        return to_.find_outcome(command_id);
    }
    CommandOutcome void_command(std::string_view command_id) override {
        return to_.void_command(command_id);
    }
    StreamPage read_stream(const StreamName& stream, const ReadStream& options) override {
        ++reads;
        return to_.read_stream(stream, options);
    }
    SnapshotPage read_snapshot(const StreamName& stream, std::string_view type, std::int64_t fold,
                               ReadStream options) override {
        ++snapshot_reads;
        auto found = dynamic_cast<SnapshotStore&>(to_).read_snapshot(stream, type, fold, options);
        events = found.page.events.size();
        if (after_snapshot_read) std::exchange(after_snapshot_read, nullptr)();
        return found;
    }
    void keep_snapshot(const StreamName& stream, const Snapshot& snapshot) override {
        if (fails) throw Unavailable("no snapshots today; try tomorrow");
        ++kept;
        dynamic_cast<SnapshotStore&>(to_).keep_snapshot(stream, snapshot);
    }

    int reads = 0, snapshot_reads = 0, kept = 0;
    std::size_t events = 0;  // in the page of the last snapshot read
    bool fails = false;
    std::function<void()> after_snapshot_read;  // once

private:
    EventStore& to_;
};

/// Goes on without erased payloads. (Its snapshots are any message that holds a number.)
struct Forgiving {
    static constexpr std::string_view category = "account";
    static constexpr int fold = 7;
    using Event = Events<Deposited>;
    std::int64_t balance = 0;
};
inline Forgiving evolve(Forgiving account, const Deposited& event) {
    account.balance += event.amount();
    return account;
}
inline Forgiving evolve(Forgiving account, const Erased&) { return account; }
inline Decision<Forgiving> decide(const Forgiving&, const Deposit& command) {
    return deposited(command.amount());
}
inline Deposit to_snapshot(const Forgiving& account) { return deposit(account.balance); }
inline Forgiving from_snapshot(const Deposit& kept) { return {kept.amount()}; }

/// Keeps a text that is cut within a character, from 20 on.
struct Garbled {
    static constexpr std::string_view category = "account";
    static constexpr int fold = 1;
    using Event = Events<Deposited>;
    std::int64_t balance = 0;
};
inline Garbled evolve(Garbled account, const Deposited& event) {
    account.balance += event.amount();
    return account;
}
inline Decision<Garbled> decide(const Garbled&, const Deposit& command) {
    return deposited(command.amount());
}
inline Open to_snapshot(const Garbled& account) {
    Open kept;
    kept.set_owner(std::to_string(account.balance) + (account.balance < 20 ? "" : "\xc3"));
    return kept;
}
inline Garbled from_snapshot(const Open& kept) { return {std::stoll(kept.owner())}; }

class SnapshotContract : public StoreContract {
protected:
    /// A new process: nothing is cached.
    Repository<Saved> fresh(std::int64_t every = 10) {
        return Repository<Saved>{streams_, {.snapshots = every}};
    }
    void deposit_times(int times) {
        auto accounts = fresh();
        for (int i = 0; i < times; ++i) static_cast<void>(accounts.handle("1", deposit(1)));
        settle();
    }
    /// What the store may do later is done: by another append, at the latest.
    void settle() { add("other-" + std::to_string(++others_)); }

    SnapshotStore& kept() { return dynamic_cast<SnapshotStore&>(store()); }
    SnapshotPage read(std::int64_t fold = Saved::fold) {
        return kept().read_snapshot(account_, snapshot_type<Saved>(), fold, {});
    }
    /// Changes the snapshot that is there, past its seal or under a new one.
    void spoil(const std::function<void(Snapshot&)>& change, bool sealed = true) {
        Snapshot snapshot = read().snapshot.value();
        KeptAccount state;
        ASSERT_TRUE(snapshot::read(snapshot, account_, state));
        change(snapshot);
        if (sealed) snapshot::seal(snapshot, account_, state);
        kept().keep_snapshot(account_, snapshot);
        settle();
    }
    double ignored(const std::string& reason) {
        return store()
            .environment()
            .metrics
            .counter("recount_snapshots_ignored_total",
                     "Snapshots that were of no use: of another fold or history, or unreadable",
                     {{"category", "account"}, {"reason", reason}})
            .value();
    }
    /// It is found useless once, counted, and one that is right is put in its place.
    void heals(const std::string& reason, std::int64_t balance) {
        const double before = ignored(reason);
        EXPECT_EQ(fresh().load("1").state.balance, balance);
        EXPECT_EQ(ignored(reason), before + 1);
        settle();
        EXPECT_EQ(fresh().load("1").state.balance, balance);
        EXPECT_EQ(ignored(reason), before + 1);
        EXPECT_EQ(read().snapshot.value().version, Version{balance});
    }

    StreamName account_{"account", "1"};
    CountedReads streams_{store()};
    int others_ = 0;
};

/// A person's data is erased while processes that have read it go on.
class ErasureContract : public SnapshotContract {
protected:
    static constexpr RepositoryOptions often{.snapshots = 5};
    using Accounts = Repository<Forgiving>;

    static void deposit_into(Accounts& accounts, int times) {
        for (int i = 0; i < times; ++i) ASSERT_TRUE(accounts.handle("1", deposit(10)));
    }
    std::optional<Snapshot> stored() {
        settle();
        return kept()
            .read_snapshot(account_, snapshot_type<Forgiving>(), Forgiving::fold, {})
            .snapshot;
    }
    std::int64_t balance_for_a_new_process() {
        return Accounts{store(), often}.load("1").state.balance;
    }
};

}  // namespace recount::test
