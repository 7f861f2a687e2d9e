#include "eventstore/contract/store_contract.hpp"

#include <recount/core/hash.hpp>

namespace recount::test {

CommandOutcome StoreContract::add(const std::string& to, std::size_t events) {
    const AppendResult result = store().append(
        make_append("add-" + std::to_string(++ids_), {write(to, Expected::any(), events)}));
    EXPECT_EQ(result.kind, AppendResult::Kind::committed) << to_string(result.conflict);
    return result.outcome.value_or(CommandOutcome{});
}

std::vector<RecordedEvent> StoreContract::read_all(const std::string& from) {
    return store().read_stream(stream(from), {.max_events = 100'000}).events;
}

std::vector<RecordedEvent> StoreContract::read_partition(Partition partition, std::size_t page) {
    std::vector<RecordedEvent> events;
    bool end = false;
    while (!end) {
        LogPage next =
            store().read(partition, static_cast<std::int64_t>(events.size()), {.max_events = page});
        EXPECT_LE(next.events.size(), page);
        EXPECT_TRUE(next.end || !next.events.empty());
        end = next.end || next.events.empty();
        for (RecordedEvent& event : next.events) events.push_back(std::move(event));
    }
    return events;
}

std::int64_t StoreContract::count_events() {
    std::int64_t count = 0;
    for (const LogHead& head : store().heads()) count += head.n;
    return count;
}

StreamName stream(const std::string& full) { return StreamName::parse(full); }

NewEvent event(std::string payload, std::string type) {
    return {std::move(type), std::move(payload), "plain"};
}

StreamWrite write(const std::string& to, Expected expected, std::size_t events) {
    StreamWrite write{stream(to), expected, {}};
    for (std::size_t i = 1; i <= events; ++i) {
        write.events.push_back(event(to + "/" + std::to_string(i)));
    }
    return write;
}

StreamCheck check(const std::string& on, Expected expected) { return {stream(on), expected}; }

Append make_append(std::string id, std::vector<StreamWrite> writes,
                   std::vector<StreamCheck> checks) {
    Append append;
    append.metadata.command_id = std::move(id);
    append.writes = std::move(writes);
    append.checks = std::move(checks);
    append.request = request_hash(append);
    return append;
}

Append make_refusal(std::string id, std::vector<StreamCheck> checks) {
    Append append = make_append(std::move(id), {}, std::move(checks));
    append.rejection = Rejection{"sold_out", "none left"};
    append.request = sha256("refusal");
    return append;
}

std::vector<std::string> payloads(const std::vector<RecordedEvent>& events) {
    std::vector<std::string> payloads;
    for (const RecordedEvent& event : events) payloads.push_back(event.payload.value_or("erased"));
    return payloads;
}

std::vector<std::int64_t> versions(const std::vector<RecordedEvent>& events) {
    std::vector<std::int64_t> versions;
    for (const RecordedEvent& event : events) versions.push_back(event.at.version.value);
    return versions;
}

const std::vector<std::string>& hostile_ids() {
    static const std::vector<std::string> ids{
        "'; drop table event; --",
        "\"quoted\" 'twice' `thrice`",
        "$1 ?1 :a @b %s {} \\x00 \\",
        "%",
        "_",
        "a\\",
        "--",
        "null",
        " ",
        "-",
        "0",
        "-1",
        "1e400",
        "\xc3\xbc\xe2\x82\xac\xf0\x9f\x92\xb6",  // ü € and a banknote
        "e\xcc\x81",
        "\xc3\xa9",  // é decomposed, é composed: two names
        "\xe2\x80\xae"
        "drowkcab",             // right to left
        std::string(250, 'x'),  // 255 bytes with "cart-"
    };
    return ids;
}

}  // namespace recount::test
