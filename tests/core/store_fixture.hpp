#pragma once

#include <recount/core.hpp>
#include <recount/eventstore.hpp>
#include <recount/testing/manual_environment.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "account.hpp"

namespace recount::test {

/// Streams that pass everything on to a store, count it, and let a test step in between.
class Watched final : public Streams {
public:
    explicit Watched(Streams& to) : to_(&to), identity_(to.identity()) {}

    using Streams::append;

    [[nodiscard]] const StoreIdentity& identity() const override { return identity_; }
    Environment& environment() override { return to_->environment(); }
    std::vector<AppendResult> append(std::span<const Append> group) override {
        ++appends;
        last.assign(group.begin(), group.end());
        if (before_append) before_append();
        auto results = to_->append(group);
        if (!holds) return results;
        std::vector<Append> again;
        std::vector<std::size_t> places;
        for (std::size_t i = 0; i < last.size(); ++i) {
            if (results[i].kind != AppendResult::Kind::conflict || !last[i].decide_again) continue;
            try {
                if (auto anew = last[i].decide_again(results[i].conflict)) {
                    again.push_back(*std::move(anew));
                    places.push_back(i);
                }
            } catch (const std::exception&) {
                // The conflict stands.
            }
        }
        if (again.empty()) return results;
        auto anew = to_->append(again);
        for (std::size_t k = 0; k < anew.size(); ++k) results[places[k]] = std::move(anew[k]);
        return results;
    }
    std::optional<CommandOutcome> find_outcome(std::string_view command_id) override {
        return to_->find_outcome(command_id);
    }
    CommandOutcome void_command(std::string_view command_id) override {
        return to_->void_command(command_id);
    }
    StreamPage read_stream(const StreamName& stream, const ReadStream& options) override {
        ++reads;
        return to_->read_stream(stream, options);
    }
    /// From now on another store answers under the same name, as after a restore nobody declared.
    void become(Streams& other) { to_ = &other; }
    void identify(const StoreIdentity& identity) { identity_ = identity; }

    int appends = 0, reads = 0;
    bool holds = false;        // what conflicts is decided again at once, with nobody in between
    std::vector<Append> last;  // the last group
    std::function<void()> before_append;

private:
    Streams* to_;
    StoreIdentity identity_;
};

/// A store in memory, and two repositories on it that know nothing of each other.
class AccountTest : public testing::Test {
protected:
    static Version head(Streams& streams, const std::string& id = "1") {
        return streams.read_stream(StreamName{"account", id}).head;
    }

    ManualEnvironment world_;
    std::unique_ptr<EventStore> store_ =
        open_store("memory:", {.environment = &world_.environment()});
    Watched streams_{*store_};
    Repository<Account> accounts_{streams_};
    Repository<Account> others_{*store_};
};

}  // namespace recount::test
