#include <recount/eventstore.hpp>

#include <libpq-fe.h>

#include <functional>
#include <string>
#include <vector>

#include "bench/harness.hpp"
#include "bench/postgres_loads.hpp"
#include "bench/postgres_place.hpp"
#include "bench/postgres_writers.hpp"

/// The PostgreSQL store beside a hand-made libpq client that writes and reads the same rows. Needs
/// RECOUNT_TEST_POSTGRES. Client and server share the machine.
namespace recount::bench {
namespace {

using Streams = Load::Streams;

constexpr const char* by_hand =
    "libpq, one prepared statement an append, a connection a writer; hashes and chains";
constexpr const char* rows_alone =
    "libpq, one prepared statement an append, a connection a writer; rows of the same sizes";
constexpr const char* log_checked = "chain verified, the log holds what was acknowledged";

std::string writers_of(const Load& load) {
    std::string text = std::to_string(load.writers) + (load.writers == 1 ? " writer" : " writers");
    if (load.processes > 1) text += " in " + std::to_string(load.processes) + " processes";
    return text;
}

Load by(Client client, Load load) {
    load.client = client;
    return load;
}

using Values = std::function<std::vector<double>(const Written&)>;

std::vector<double> rate(const Written& written) { return {written.rate()}; }

/// The store beside one who writes by hand.
void compare(Harness& harness, Comparison comparison, const Load& load, const Values& values,
             Client limit = Client::by_hand) {
    comparison.limit_is = limit == Client::by_hand ? by_hand : rows_alone;
    comparison.oracle = log_checked;
    comparison.recount = [=] { return values(write_by(load)); };
    comparison.limit = [=] { return values(write_by(by(limit, load))); };
    harness.compare(comparison);
}

void appends(Harness& harness, const std::string& workload, const Load& load,
             const std::string& variant, double goal) {
    compare(harness, {workload, variant, {}, {}, {{"events/s", goal}}, {}, {}}, load, rate);
}

/// What the care costs both.
void appends_beside_rows(Harness& harness, const std::string& workload, const Load& load,
                         const std::string& variant) {
    compare(harness, {workload, variant + ", rows alone", {}, {}, {{"events/s", 0.6}}, {}, {}},
            load, rate, Client::rows_alone);
}

Load one_by_one(Streams streams, int processes, int writers, const Harness& harness) {
    return {Client::store, streams, processes, writers, 1, harness.seconds()};
}

void one_writer(Harness& harness) {
    const Load load = one_by_one(Streams::fresh, 1, 1, harness);
    const std::string variant = "1 writer, new streams";
    compare(harness, {"W1", variant, {}, {}, {{"events/s", 0.85}, {"ms p99", 1.5, false}}, {}, {}},
            load, [](const Written& written) {
                return std::vector{written.rate(), percentile(written.milliseconds, 0.99)};
            });
    appends_beside_rows(harness, "W1", load, variant);
}

void versions_expected(Harness& harness) {
    for (const int writers : {1, 4, 8, 16, 32}) {
        const Load load = one_by_one(Streams::own, 1, writers, harness);
        appends(harness, "W2", load, writers_of(load), 0.85);
    }
    for (const int writers : {8, 32}) {
        const Load load = one_by_one(Streams::own, 4, writers, harness);
        appends(harness, "W2", load, writers_of(load), 0.85);
    }
}

/// Appends share a commit; by hand each has its own.
void groups(Harness& harness, bool slow_disk) {
    appends(harness, "W3", one_by_one(Streams::own, 1, 32, harness), "32 writers, commits shared",
            slow_disk ? 3.0 : 1.0);
    compare(
        harness, {"W3", "1 writer, nobody to share with", {}, {}, {{"ms p50", 1.1, false}}, {}, {}},
        one_by_one(Streams::own, 1, 1, harness),
        [](const Written& written) { return std::vector{percentile(written.milliseconds, 0.5)}; });
}

void batches(Harness& harness) {
    for (const int batch : {10, 100, 1000}) {
        const Load load{Client::store, Streams::own, 1, 1, batch, harness.seconds()};
        const std::string variant = "1 writer, batches of " + std::to_string(batch);
        appends(harness, "W4", load, variant, 0.9);
        appends_beside_rows(harness, "W4", load, variant);
    }
}

void hot_stream(Harness& harness) {
    for (const int processes : {1, 4}) {
        const Load load = one_by_one(Streams::hot, processes, 16, harness);
        const Load alone = by(Client::by_hand, one_by_one(Streams::hot, 1, 1, harness));
        harness.compare({"W6",
                         "hot stream, " + writers_of(load),
                         "one connection, one append after the other",
                         log_checked,
                         {{"events/s", 0.8}, {"attempts an event", 1.25, false}},
                         [=] {
                             const Written written = write_by(load);
                             return std::vector{written.rate(),
                                                static_cast<double>(written.attempts) /
                                                    static_cast<double>(written.events)};
                         },
                         [=] {
                             return std::vector{write_by(alone).rate(), 1.0};
                         }});
    }
}

void bytes(Harness& harness) {
    compare(harness, {"W18", "1 writer", {}, {}, {{"WAL bytes/event", 1.3, false}}, {}, {}},
            one_by_one(Streams::own, 1, 1, harness), [](const Written& written) {
                return std::vector{written.wal_bytes / static_cast<double>(written.events)};
            });
}

void add_conditions(Harness& harness) {
    const Place place;
    const auto store = open_store(place.url());
    const auto database = Database::open(place.url());
    const auto transaction = database->begin(SqlMode::snapshot);
    for (const char* setting : {"server_version", "fsync", "synchronous_commit", "full_page_writes",
                                "shared_buffers", "wal_sync_method"}) {
        harness.condition(setting,
                          transaction->query("select current_setting($1)", setting).text(0, 0));
    }
    harness.condition("libpq", std::to_string(PQlibVersion()));
    harness.condition("payload bytes", "256");
}

}  // namespace
}  // namespace recount::bench

int main(int count, char** arguments) {
    using namespace recount::bench;
    write_as_child(count, arguments);
    Harness harness{count,
                    arguments,
                    {{"W1", "append, 1 writer, new streams"},
                     {"W2", "append, version expected, 1 to 32 writers, 1 and 4 processes"},
                     {"W3", "append, commits shared, beside one commit an append"},
                     {"W4", "append, batches of 10, 100, 1000"},
                     {"W6", "one hot stream, 16 writers, 1 and 4 processes"},
                     {"W7", "load a stream of 10, 1k, 100k events"},
                     {"W8", "load of a snapshot and twenty events"},
                     {"W18", "WAL bytes an event"}}};
    add_conditions(harness);
    harness.begin();
    const char* slower = std::getenv("RECOUNT_FSYNC_US");
    if (harness.wants("W1")) one_writer(harness);
    if (harness.wants("W2")) versions_expected(harness);
    if (harness.wants("W3")) groups(harness, slower != nullptr && std::atoi(slower) >= 1000);
    if (harness.wants("W4")) batches(harness);
    if (harness.wants("W6")) hot_stream(harness);
    if (harness.wants("W7")) stream_loads(harness);
    if (harness.wants("W8")) snapshot_loads(harness);
    if (harness.wants("W18")) bytes(harness);
    return harness.result();
}
