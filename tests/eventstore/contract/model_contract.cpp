#include "eventstore/contract/store_contract.hpp"

#include <rapidcheck.h>

#include <map>
#include <set>

namespace recount::test {
namespace {

using Kind = AppendResult::Kind;

/// The contract of appends in ten lines: what each stream holds, and the verdict on each command
/// id.
struct Model {
    std::map<std::string, std::vector<std::string>> streams;
    std::map<std::string, Hash> decided;

    Kind append(const Append& append) {
        if (const auto first = decided.find(append.metadata.command_id); first != decided.end()) {
            return first->second == append.request ? Kind::repeated : Kind::reused;
        }
        for (const StreamWrite& write : append.writes) {
            if (!write.expected.holds(version(write.stream))) return Kind::conflict;
        }
        for (const StreamCheck& check : append.checks) {
            if (!check.expected.holds(version(check.stream))) return Kind::conflict;
        }
        for (const StreamWrite& write : append.writes) {
            for (const NewEvent& event : write.events) {
                streams[write.stream.full()].push_back(event.payload);
            }
        }
        decided.emplace(append.metadata.command_id, append.request);
        return Kind::committed;
    }

    Version version(const StreamName& name) {
        return {static_cast<std::int64_t>(streams[name.full()].size())};
    }
};

/// Few streams and ids, so that they meet.
std::string any_stream() { return "cart-" + std::to_string(*rc::gen::inRange(0, 4)); }

Expected any_expected() {
    switch (*rc::gen::inRange(0, 5)) {
        case 0:
            return Expected::no_stream();
        case 1:
            return Expected::exists();
        case 2:
            return Expected::exactly(Version{*rc::gen::inRange(0, 6)});
        default:
            return Expected::any();
    }
}

Append any_append(int& payload) {
    std::set<std::string> used;
    Append append = make_append("id-" + std::to_string(*rc::gen::inRange(0, 40)), {});
    for (int writes = *rc::gen::inRange(0, 3); writes > 0; --writes) {
        const std::string name = any_stream();
        if (!used.insert(name).second) continue;
        StreamWrite write{stream(name), any_expected(), {}};
        for (int events = *rc::gen::inRange(1, 4); events > 0; --events) {
            write.events.push_back(event(std::to_string(++payload)));
        }
        append.writes.push_back(std::move(write));
    }
    const std::string checked = any_stream();
    if (*rc::gen::inRange(0, 3) == 0 && used.insert(checked).second) {
        append.checks.push_back({stream(checked), any_expected()});
    }
    append.request = request_hash(append);
    return append;
}

TEST_P(ModelContract, DecidesAsTheModelDoes) {
    const bool held = rc::check("groups of appends, and repeats of earlier ones", [this] {
        reopen_with({.partitions = *rc::gen::inRange(1, 5)});
        Model model;
        std::vector<Append> sent;
        int payload = 0;
        const int groups = *rc::gen::inRange(1, 12);
        for (int i = 0; i < groups; ++i) {
            std::vector<Append> group;
            for (int size = *rc::gen::inRange(1, 6); size > 0; --size) {
                const bool again = !sent.empty() && *rc::gen::inRange(0, 5) == 0;
                group.push_back(again ? *rc::gen::elementOf(sent) : any_append(payload));
                sent.push_back(group.back());
            }
            const std::vector<AppendResult> results = store().append(group);
            for (std::size_t at = 0; at < group.size(); ++at) {
                RC_ASSERT(results[at].kind == model.append(group[at]));
            }
            if (*rc::gen::inRange(0, 8) == 0) reopen();
        }
        std::int64_t total = 0;
        for (const auto& [name, expected] : model.streams) {
            RC_ASSERT(payloads(read_all(name)) == expected);
            total += static_cast<std::int64_t>(expected.size());
        }
        RC_ASSERT(count_events() == total);
        RC_ASSERT(store().verify_chain() == store().heads());
    });
    EXPECT_TRUE(held);
}

}  // namespace
}  // namespace recount::test
