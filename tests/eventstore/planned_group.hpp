#pragma once

#include "append_plan.hpp"

#include <recount/core/envelope.hpp>
#include <recount/core/ids.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace recount::test {

class CountingRandom final : public Random {
public:
    void fill(std::span<std::uint8_t> bytes) override {
        ++calls;
        for (std::uint8_t& byte : bytes) byte = next_++;
    }
    int calls = 0;

private:
    std::uint8_t next_ = 1;
};

inline Timestamp at(std::int64_t micros) { return Timestamp{std::chrono::microseconds{micros}}; }

inline Append append_of(std::string id, std::vector<StreamWrite> writes,
                        std::vector<StreamCheck> checks = {}) {
    Append append;
    append.metadata.command_id = std::move(id);
    append.writes = std::move(writes);
    append.checks = std::move(checks);
    append.request = request_hash(append);
    return append;
}

inline StreamWrite write_to(const std::string& stream, Expected expected, std::size_t events = 1) {
    return {
        StreamName::parse(stream), expected, {events, NewEvent{"test.Event", "payload", "plain"}}};
}

/// A log of two partitions, empty unless told otherwise.
class PlannedGroup : public testing::Test {
protected:
    PlannedGroup() {
        context_.identity.id.bytes.fill(1);
        context_.identity.incarnation.bytes.fill(2);
        context_.identity.partitions = 2;
        Incarnation first;
        first.id = context_.identity.incarnation;
        context_.origins = living_origins(context_.identity, {first});
        context_.revision_of = [](std::string_view) { return 7U; };
    }

    AppendPlan plan(const std::vector<Append>& appends) {
        group_ = pointers_to(appends);
        touched_ = touched_by(group_, 2);
        KnownState known = KnownState::for_all(touched_);
        for (std::size_t i = 0; i < touched_.partitions.size(); ++i) {
            known.heads[i] = heads_[static_cast<std::size_t>(touched_.partitions[i].value)];
        }
        for (std::size_t i = 0; i < touched_.streams.size(); ++i) {
            const auto found = versions_.find(std::string{touched_.streams[i]});
            if (found != versions_.end()) known.versions[i] = found->second;
        }
        for (std::size_t i = 0; i < touched_.command_ids.size(); ++i) {
            const auto found = outcomes_.find(std::string{touched_.command_ids[i]});
            if (found != outcomes_.end()) known.outcomes[i] = found->second;
        }
        return plan_append(group_, touched_, known, context_, now_, random_);
    }

    PlanContext context_;
    std::vector<LogHead> heads_ = std::vector<LogHead>(2);
    std::map<std::string, Version> versions_;
    std::map<std::string, CommandOutcome> outcomes_;
    Timestamp now_ = at(1000);
    CountingRandom random_;
    std::vector<const Append*> group_;
    Touched touched_;
};

}  // namespace recount::test
