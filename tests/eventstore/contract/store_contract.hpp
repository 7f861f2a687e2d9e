#pragma once

#include <recount/eventstore.hpp>

#include "support/moved_clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace recount::test {

/// A place where one store can be, empty at first; gone with the object.
class StorePlace {
public:
    virtual ~StorePlace() = default;
    /// Opens the store that is there, or creates it.
    virtual std::unique_ptr<EventStore> open(const StoreOptions& options) = 0;
    /// False when a store is gone as soon as it is closed.
    [[nodiscard]] virtual bool lasts() const { return true; }
};

/// A kind of store, held to the contract.
struct StoreKind {
    std::string name;
    std::function<std::unique_ptr<StorePlace>()> make;
};

inline std::ostream& operator<<(std::ostream& out, const StoreKind& kind) {
    return out << kind.name;
}

inline std::string kind_name(const testing::TestParamInfo<StoreKind>& info) {
    return info.param.name;
}

/// The tests of every kind of store. Instantiate AppendContract, OutcomeContract, LogContract,
/// FilteredLog, SharedContract, ModelContract, UpkeepContract, ClosedContract, RetentionContract
/// and TimeContract with the kinds.
class StoreContract : public testing::TestWithParam<StoreKind> {
protected:
    StoreContract() : place_(GetParam().make()), store_(place_->open({})) {}

    EventStore& store() { return *store_; }

    /// Closes and opens it again, where a store lasts.
    void reopen() {
        if (!place_->lasts()) return;
        store_.reset();
        store_ = place_->open({});
    }

    void reopen_with(const StoreOptions& options) {
        place_ = GetParam().make();
        store_.reset();
        store_ = place_->open(options);
    }

    /// Appends `events` events to a stream under an id of its own; must be committed.
    CommandOutcome add(const std::string& stream, std::size_t events = 1);
    std::vector<RecordedEvent> read_all(const std::string& stream);
    std::vector<RecordedEvent> read_partition(Partition partition, std::size_t page = 1000);
    std::int64_t count_events();

    std::unique_ptr<StorePlace> place_;
    std::unique_ptr<EventStore> store_;
    int ids_ = 0;
};

class AppendContract : public StoreContract {};
class OutcomeContract : public StoreContract {};
class LogContract : public StoreContract {};
class SharedContract : public StoreContract {};
class ModelContract : public StoreContract {};
class UpkeepContract : public StoreContract {};
class ImportContract : public StoreContract {};

class ClosedContract : public StoreContract {
protected:
    AppendResult close(const std::string& name, const std::string& id = "close");
    AppendResult append_one(const Append& append);
    /// Whatever is expected, nothing more is taken.
    void takes_nothing(const std::string& name, Version head);
};

/// On a clock that can be moved on, and a log of one partition.
class TimeContract : public StoreContract {
protected:
    TimeContract() { reopen_with({.partitions = 1, .environment = &clock_.environment()}); }
    ~TimeContract() override { store_.reset(); }

    MovedClock clock_;
};

/// A log of one partition, read with a filter.
class FilteredLog : public StoreContract {
protected:
    FilteredLog() { reopen_with({.partitions = 1}); }

    /// One event, with a payload of so many bytes.
    void add_event(const std::string& to, const std::string& type = "test.Happened",
                   std::size_t bytes = 1);
    /// Page after page, each held to its limits; opens the store before each if asked to.
    std::vector<RecordedEvent> pages(const ReadLog& options, bool anew = false);
    /// The positions of what pages() gives.
    std::vector<std::int64_t> taken(const ReadLog& options);
    std::vector<std::int64_t> taken(const LogFilter& filter);

    int pages_ = 0;  // that were read last
};

/// On a clock that can be moved on.
class RetentionContract : public StoreContract {
protected:
    RetentionContract() { reopen_with({.environment = &clock_.environment()}); }
    ~RetentionContract() override { store_.reset(); }

    std::string new_id() { return to_string(new_uuid7(clock_.environment())); }

    MovedClock clock_;
};

StreamName stream(const std::string& full);
NewEvent event(std::string payload, std::string type = "test.Happened");
/// So many events, with payloads "<stream>/<number>".
StreamWrite write(const std::string& to, Expected expected = Expected::any(),
                  std::size_t events = 1);
StreamCheck check(const std::string& on, Expected expected);
Append make_append(std::string id, std::vector<StreamWrite> writes,
                   std::vector<StreamCheck> checks = {});
Append make_refusal(std::string id, std::vector<StreamCheck> checks = {});

std::vector<std::string> payloads(const std::vector<RecordedEvent>& events);
std::vector<std::int64_t> versions(const std::vector<RecordedEvent>& events);

/// Names that break what is careless with them.
const std::vector<std::string>& hostile_ids();

}  // namespace recount::test
