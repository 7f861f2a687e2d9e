#include "eventstore/sqlite_faults/history.hpp"

#include <recount/core/error.hpp>
#include <recount/eventstore/import.hpp>

#include <algorithm>

namespace recount::test {

using Kind = AppendResult::Kind;

namespace {
constexpr std::int64_t events_of_an_import = 4;
}

History::Asked& History::asked(const Append& append, bool voids) {
    for (Asked& one : asked_) {
        if (one.append.metadata.command_id == append.metadata.command_id) return one;
    }
    return asked_.emplace_back(Asked{append, voids, Told::failed, {}});
}

void History::note(const Append& append, const AppendResult& result) {
    Asked& one = asked(append, false);
    if (one.told == Told::outcome) {
        EXPECT_EQ(result.kind, Kind::repeated) << append.metadata.command_id;
        EXPECT_EQ(result.outcome, one.outcome) << append.metadata.command_id;
        return;
    }
    if (result.kind == Kind::conflict) {
        one.told = Told::conflict;
        return;
    }
    ASSERT_TRUE(result.outcome) << append.metadata.command_id << ": " << result.message;
    if (one.told != Told::unknown) {
        EXPECT_EQ(result.kind, Kind::committed)
            << append.metadata.command_id << " was said to have failed, and happened";
    }
    one.told = Told::outcome;
    one.outcome = *result.outcome;
}

void History::append(EventStore& store, const std::vector<Append>& group) {
    const auto not_done = [&](Told told) {
        for (const Append& append : group) {
            Asked& one = asked(append, false);
            if (one.told != Told::outcome && one.told != Told::unknown) one.told = told;
        }
    };
    try {
        const std::vector<AppendResult> results = store.append(group);
        for (std::size_t i = 0; i < group.size(); ++i) note(group[i], results[i]);
    } catch (const OutcomeUnknown&) {
        not_done(Told::unknown);
    } catch (const Error& error) {
        EXPECT_TRUE(error.retryable()) << error.what();
        not_done(Told::failed);
    }
}

void History::void_command(EventStore& store, const std::string& id) {
    Append append;
    append.metadata.command_id = id;
    Asked& one = asked(append, true);
    try {
        const CommandOutcome outcome = store.void_command(id);
        if (one.told == Told::outcome) {
            EXPECT_EQ(outcome, one.outcome);
        }
        one.told = Told::outcome;
        one.outcome = outcome;
    } catch (const OutcomeUnknown&) {
        if (one.told != Told::outcome) one.told = Told::unknown;
    } catch (const Error& error) {
        EXPECT_TRUE(error.retryable()) << error.what();
    }
}

void History::import(EventStore& store, const std::string& id) {
    std::int64_t& acknowledged = imports_[id];
    std::int64_t next = 0;
    const auto source = [&]() -> std::optional<ImportedEvent> {
        if (next == events_of_an_import) return std::nullopt;
        return ImportedEvent{stream("import-" + id), event(std::to_string(++next))};
    };
    survives([&] {
        const Imported done = import_events(store,
                                            {.id = "import-" + id,
                                             .chunk_events = 2,
                                             .progress = [&](std::int64_t n) { acknowledged = n; }},
                                            source);
        EXPECT_EQ(done.kind, Imported::Kind::complete);
        EXPECT_EQ(done.events, events_of_an_import);
    });
}

std::map<std::string, std::size_t> History::events_by_append(EventStore& store) {
    std::map<std::string, std::size_t> count;
    for (std::int32_t i = 0; i < store.identity().partitions; ++i) {
        const LogPage page = store.read(Partition{i}, 0, {.max_events = 100'000});
        EXPECT_TRUE(page.end);
        for (const RecordedEvent& event : page.events) ++count[event.at.append_id];
    }
    return count;
}

void History::expect_whole(const Asked& one, const std::optional<CommandOutcome>& outcome,
                           const std::map<std::string, std::size_t>& events) {
    const std::string& id = one.append.metadata.command_id;
    std::size_t whole = 0;
    for (const StreamWrite& write : one.append.writes) whole += write.events.size();
    const auto found = events.find(id);
    const bool happened = outcome && outcome->kind == CommandOutcome::Kind::events;
    EXPECT_EQ(found == events.end() ? 0 : found->second, happened ? whole : 0) << id;
}

std::size_t History::expect_beginning(EventStore& store) const {
    EXPECT_EQ(store.verify_chain(), store.heads());
    const auto events = events_by_append(store);
    std::size_t lost = 0;
    for (const Asked& one : asked_) {
        const auto outcome = store.find_outcome(one.append.metadata.command_id);
        expect_whole(one, outcome, events);
        if (one.told != Told::outcome) continue;
        if (!outcome) ++lost;
        EXPECT_EQ(lost == 0, outcome.has_value())
            << one.append.metadata.command_id << " is there, and what preceded it is not";
        if (outcome) {
            EXPECT_EQ(*outcome, one.outcome);
        }
    }
    return lost;
}

void History::expect_kept(EventStore& store) const {
    EXPECT_EQ(store.verify_chain(), store.heads());
    const auto events = events_by_append(store);
    for (const Asked& one : asked_) {
        const std::string& id = one.append.metadata.command_id;
        const auto outcome = store.find_outcome(id);
        if (one.told == Told::outcome) {
            ASSERT_TRUE(outcome) << id << " was acknowledged and is gone";
            EXPECT_EQ(*outcome, one.outcome) << id;
        }
        if (one.told == Told::failed) {
            EXPECT_FALSE(outcome) << id << " failed, and is there";
        }
        expect_whole(one, outcome, events);
    }
    for (const auto& [id, acknowledged] : imports_) {
        const StreamPage page = store.read_stream(stream("import-" + id));
        EXPECT_GE(page.head.value, acknowledged) << id;
        EXPECT_EQ(page.head.value % 2, 0) << "chunks are whole";
        for (const RecordedEvent& event : page.events) {
            EXPECT_EQ(event.payload, std::to_string(event.at.version.value)) << id;
        }
    }
    for (const auto& [id, count] : events) {
        EXPECT_TRUE(store.find_outcome(id)) << id << " has events and no outcome";
    }
}

void History::settle(EventStore& store) {
    for (const Asked& one : std::vector<Asked>{asked_}) {
        if (one.voids) {
            void_command(store, one.append.metadata.command_id);
        } else {
            append(store, {one.append});
        }
    }
    for (auto& [id, acknowledged] : imports_) {
        import(store, id);
        EXPECT_EQ(acknowledged, events_of_an_import);
    }
    EXPECT_EQ(count(Told::failed) + count(Told::unknown), 0U) << "on a disk that works";
}

std::size_t History::count(Told told) const {
    return static_cast<std::size_t>(std::count_if(
        asked_.begin(), asked_.end(), [told](const Asked& one) { return one.told == told; }));
}

}  // namespace recount::test
