#include <recount/eventstore.hpp>

#include <stdexcept>
#include <string>

#include "bench/bare_import.hpp"
#include "bench/harness.hpp"
#include "bench/postgres_place.hpp"
#include "support/temporary_folder.hpp"

/// W5: an import beside the fastest way to write the very same rows by hand: binary COPY on
/// PostgreSQL, prepared inserts of SQLite's C API. Needs RECOUNT_TEST_POSTGRES. Client and server
/// share the machine.
namespace recount::bench {
namespace {

constexpr int events = 1'000'000;
constexpr int window = 100;  // so many streams grow at a time, to five events each
constexpr const char* checked = "chain verified, all there";

/// Neighbours are of different streams, and all events of a stream are near each other.
ImportSource source() {
    return [i = 0]() mutable -> std::optional<ImportedEvent> {
        if (i == events) return {};
        const std::int64_t n = i++;
        ImportedEvent event{
            StreamName::trusted("cart-" + std::to_string(n / (5 * window) * window + n % window)),
            {"shop.ItemAdded", std::string(256, 'p')}};
        event.metadata.occurred_at = Timestamp{std::chrono::seconds{1'600'000'000 + n}};
        return event;
    };
}

std::vector<double> rate_since(double began) { return {events / (seconds_now() - began)}; }

std::vector<double> import_into(EventStore& store) {
    const double began = seconds_now();
    const Imported done = import_events(store, {.id = "bench"}, source());
    const auto result = rate_since(began);
    std::int64_t stored = 0;
    for (const LogHead& head : store.verify_chain()) stored += head.n;
    if (done.kind != Imported::Kind::complete || stored != events) {
        throw std::runtime_error("not all was imported");
    }
    return result;
}

template <class Write>
std::vector<double> by_hand(const Write& write) {
    const double began = seconds_now();
    write();
    return rate_since(began);
}

void postgres(Harness& harness) {
    PostgresRows rows;
    {
        const Place place;
        import_into(*open_store(place.url()));
        rows = copy_out(test::postgres_url(), place.schema());
    }
    harness.compare({"W5",
                     "PostgreSQL, 1M events",
                     "libpq, binary COPY of the same events and streams, one transaction",
                     checked,
                     {{"events/s", 0.8}},
                     [] {
                         const Place place;
                         return import_into(*open_store(place.url()));
                     },
                     [&] {
                         const Place place;
                         open_store(place.url()).reset();
                         return by_hand(
                             [&] { copy_in(test::postgres_url(), place.schema(), rows); });
                     }});
}

void sqlite(Harness& harness) {
    std::vector<SqliteEvent> rows;
    {
        const test::TemporaryFolder folder;
        import_into(*open_store("sqlite:" + folder.file("store.db")));
        rows = read_events(folder.file("store.db"));
    }
    harness.compare({"W5",
                     "SQLite, 1M events",
                     "C API, prepared inserts of the same events and streams, 10,000 a commit",
                     checked,
                     {{"events/s", 0.8}},
                     [] {
                         const test::TemporaryFolder folder;
                         return import_into(*open_store("sqlite:" + folder.file("store.db")));
                     },
                     [&] {
                         const test::TemporaryFolder folder;
                         const std::string path = folder.file("store.db");
                         open_store("sqlite:" + path).reset();
                         return by_hand([&] { insert_events(path, rows, 10'000); });
                     }});
}

}  // namespace
}  // namespace recount::bench

int main(int count, char** arguments) {
    using namespace recount::bench;
    Harness harness{count, arguments, {{"W5", "import, on PostgreSQL and SQLite"}}};
    harness.condition("payload bytes", "256");
    harness.condition("events a stream", "5");
    harness.begin();
    postgres(harness);
    sqlite(harness);
    return harness.result();
}
