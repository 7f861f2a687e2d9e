#include <recount/core/ids.hpp>
#include <recount/eventstore.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "bench/bare_postgres.hpp"
#include "support/servers.hpp"

/// Appends a second to a PostgreSQL store, beside a hand-made libpq client that writes the same
/// rows with the same number of writers, one after the other in each round: bare, store, store,
/// bare. Needs RECOUNT_TEST_POSTGRES.
///
///     postgres_bench [rounds] [seconds a run, at least]
namespace recount::bench {
namespace {

struct Workload {
    const char* name;
    int writers;
    int batch;         // events in an append
    bool new_streams;  // each append to one of its own
};

constexpr Workload workloads[] = {
    {"1 writer, new streams", 1, 1, true},        {"1 writer, version expected", 1, 1, false},
    {"8 writers, version expected", 8, 1, false}, {"32 writers, version expected", 32, 1, false},
    {"1 writer, batches of 100", 1, 100, false},
};

constexpr std::size_t payload_bytes = 256;
constexpr int streams_of_a_writer = 50;

std::chrono::nanoseconds steady() { return Environment::system().clock.steady(); }

std::string stream_of(const Workload& workload, int writer, int n) {
    return "cart-" + std::to_string(writer) + "." +
           std::to_string(workload.new_streams ? n : n % streams_of_a_writer);
}

std::int64_t version_before(const Workload& workload, int n) {
    return workload.new_streams ? 0 : std::int64_t{n / streams_of_a_writer} * workload.batch;
}

Append append_of(const Workload& workload, int writer, int n) {
    Append append;
    append.metadata.command_id = to_string(new_uuid7());
    append.metadata.correlation_id = append.metadata.command_id;
    StreamWrite& write = append.writes.emplace_back();
    write.stream = StreamName::trusted(stream_of(workload, writer, n));
    write.expected = Expected::exactly(Version{version_before(workload, n)});
    write.events.assign(static_cast<std::size_t>(workload.batch),
                        NewEvent{"shop.ItemAdded", std::string(payload_bytes, 'p')});
    append.request = request_hash(append);
    return append;
}

/// Runs writers for a while; returns events a second and checks nothing.
double run(const Workload& workload, Duration at_least,
           const std::function<std::function<void(int n)>(int writer)>& writer_of,
           std::int64_t& events) {
    std::vector<std::int64_t> counts(static_cast<std::size_t>(workload.writers), 0);
    const auto began = steady();
    {
        std::vector<std::jthread> threads;
        for (int writer = 0; writer < workload.writers; ++writer) {
            threads.emplace_back([&, writer] {
                const auto append = writer_of(writer);
                int n = 0;
                for (; steady() - began < at_least; ++n) append(n);
                counts[static_cast<std::size_t>(writer)] = std::int64_t{n} * workload.batch;
            });
        }
    }
    const double seconds = std::chrono::duration<double>(steady() - began).count();
    events = 0;
    for (const std::int64_t count : counts) events += count;
    return static_cast<double>(events) / seconds;
}

[[noreturn]] void wrong(const char* what) {
    std::fprintf(stderr, "the run is worth nothing: %s\n", what);
    std::exit(1);
}

class Place {
public:
    Place() : schema_(test::unique_name("bench_")) {}
    ~Place() {
        auto database = Database::open(url());
        auto transaction = database->begin(SqlMode::write);
        transaction->script("drop schema " + schema_ + " cascade");
        transaction->commit();
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    [[nodiscard]] std::string url() const { return test::postgres_url() + "?schema=" + schema_; }
    [[nodiscard]] const std::string& schema() const { return schema_; }

private:
    std::string schema_;
};

double run_store(const Workload& workload, Duration at_least) {
    const Place place;
    const auto store = open_store(place.url());
    std::int64_t events = 0;
    const double rate = run(
        workload, at_least,
        [&](int writer) {
            return [&, writer](int n) {
                const auto result = store->append(append_of(workload, writer, n));
                if (result.kind != AppendResult::Kind::committed)
                    wrong("an append was not committed");
            };
        },
        events);
    std::int64_t stored = 0;
    for (const LogHead& head : store->verify_chain()) stored += head.n;
    if (stored != events) wrong("the log does not hold what was acknowledged");
    return rate;
}

double run_bare(const Workload& workload, Duration at_least) {
    const Place place;
    std::int32_t partitions = 0;
    BareAppend model;
    {
        const auto store = open_store(place.url());
        partitions = store->identity().partitions;
        // The sizes that a store would write.
        const auto result = store->append(append_of(workload, 999, 0));
        const auto page = store->read_stream(StreamName::parse(stream_of(workload, 999, 0)));
        model.events = workload.batch;
        model.envelope = page.events.front().envelope;
        model.payload = *page.events.front().payload;
        model.outcome = encode(*result.outcome);
    }
    std::int64_t events = 0;
    return run(
        workload, at_least,
        [&](int writer) {
            auto client = std::make_shared<BarePostgres>(test::postgres_url(), place.schema());
            return [=, &workload](int n) {
                BareAppend append = model;
                append.stream = stream_of(workload, writer, n);
                append.partition = partition_of(append.stream, partitions).value;
                append.version = version_before(workload, n) + 1;
                append.command_id = to_string(new_uuid7());
                client->append(append);
            };
        },
        events);
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

void measure(const Workload& workload, int rounds, Duration at_least) {
    std::vector<double> store, bare, ratios;
    for (int round = 0; round < rounds; ++round) {
        const double bare_before = run_bare(workload, at_least);
        const double store_first = run_store(workload, at_least);
        const double store_second = run_store(workload, at_least);
        const double bare_after = run_bare(workload, at_least);
        bare.insert(bare.end(), {bare_before, bare_after});
        store.insert(store.end(), {store_first, store_second});
        ratios.push_back((store_first + store_second) / (bare_before + bare_after));
    }
    const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
    std::printf("%-30s %9.0f events/s %9.0f bare  ratio %.2f (%.2f … %.2f)\n", workload.name,
                median(store), median(bare), median(ratios), *least, *most);
    std::fflush(stdout);
}

void print_conditions() {
    const Place place;
    const auto database = Database::open(place.url());
    const auto transaction = database->begin(SqlMode::snapshot);
    std::printf("PostgreSQL %s, %u cores for client and server, payload %zu bytes",
                transaction->query("show server_version").text(0, 0).c_str(),
                std::thread::hardware_concurrency(), payload_bytes);
    for (const char* setting : {"fsync", "synchronous_commit", "full_page_writes", "shared_buffers",
                                "commit_delay", "wal_sync_method"}) {
        const auto value = transaction->query("select current_setting($1)", setting).text(0, 0);
        std::printf(", %s=%s", setting, value.c_str());
    }
    std::printf("\n");
}

}  // namespace
}  // namespace recount::bench

int main(int count, char** arguments) {
    const int rounds = count > 1 ? std::max(1, std::atoi(arguments[1])) : 5;
    const double seconds = count > 2 ? std::atof(arguments[2]) : 2.0;
    const auto at_least =
        std::chrono::duration_cast<recount::Duration>(std::chrono::duration<double>(seconds));
    recount::bench::print_conditions();
    std::printf("medians of %d rounds (range of ratios), %.1f s a run\n", rounds, seconds);
    for (const auto& workload : recount::bench::workloads) {
        recount::bench::measure(workload, rounds, at_least);
    }
}
