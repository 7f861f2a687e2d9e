#include <recount/core/ids.hpp>
#include <recount/eventstore.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bench/bare_postgres.hpp"
#include "support/servers.hpp"

/// Appends a second to a PostgreSQL store, beside a hand-made libpq client that writes the same
/// rows with the same number of writers, one after the other in each round: bare, store, store,
/// bare. Needs RECOUNT_TEST_POSTGRES.
///
///     postgres_bench [rounds] [seconds a run, at least] [part of a workload's name]
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

/// Processor time of this process: what is left of a comparison on a machine that others use too.
double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto total = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return total(usage.ru_utime) + total(usage.ru_stime);
}

/// The same of the server's processes that serve this one, where server and client share a machine.
double server_cpu_seconds() {
    const auto database = Database::open(test::postgres_url() + "?schema=public");
    const auto pids = database->begin(SqlMode::snapshot)
                          ->query(
                              "select pid from pg_stat_activity where "
                              "datname = current_database() and pid <> pg_backend_pid()");
    double nanoseconds = 0;
    for (std::size_t row = 0; row < pids.size(); ++row) {
        double on_processor = 0;
        std::ifstream{"/proc/" + std::to_string(pids.integer(row, 0)) + "/schedstat"} >>
            on_processor;
        nanoseconds += on_processor;
    }
    return nanoseconds * 1e-9;
}

struct Speed {
    double events_a_second = 0;
    double cpu_us_an_append = 0;
    double server_us_an_append = 0;
    std::int64_t events = 0;
};

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

/// Runs writers for a while; checks nothing.
Speed run(const Workload& workload, Duration at_least,
          const std::function<std::function<void(int n)>(int writer)>& writer_of) {
    std::vector<std::function<void(int n)>> writers;
    for (int writer = 0; writer < workload.writers; ++writer) writers.push_back(writer_of(writer));
    std::vector<std::int64_t> counts(writers.size(), 0);
    const double server_before = server_cpu_seconds();
    const double cpu_before = cpu_seconds();
    const auto began = steady();
    {
        std::vector<std::jthread> threads;
        for (std::size_t writer = 0; writer < writers.size(); ++writer) {
            threads.emplace_back([&, writer] {
                int n = 0;
                for (; steady() - began < at_least; ++n) writers[writer](n);
                counts[writer] = std::int64_t{n} * workload.batch;
            });
        }
    }
    const double seconds = std::chrono::duration<double>(steady() - began).count();
    const double cpu = cpu_seconds() - cpu_before;
    const double server = server_cpu_seconds() - server_before;
    std::int64_t events = 0;
    for (const std::int64_t count : counts) events += count;
    const auto appends = static_cast<double>(events) / workload.batch;
    return {static_cast<double>(events) / seconds, cpu * 1e6 / appends, server * 1e6 / appends,
            events};
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

Speed run_store(const Workload& workload, Duration at_least) {
    const Place place;
    const auto store = open_store(place.url());
    const Speed speed = run(workload, at_least, [&](int writer) {
        return [&, writer](int n) {
            const auto result = store->append(append_of(workload, writer, n));
            if (result.kind != AppendResult::Kind::committed) wrong("an append was not committed");
        };
    });
    std::int64_t stored = 0;
    for (const LogHead& head : store->verify_chain()) stored += head.n;
    if (stored != speed.events) wrong("the log does not hold what was acknowledged");
    return speed;
}

Speed run_bare(const Workload& workload, Duration at_least) {
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
    return run(workload, at_least, [&](int writer) {
        auto client = std::make_shared<BarePostgres>(test::postgres_url(), place.schema());
        return [=, &workload](int n) {
            BareAppend append = model;
            append.stream = stream_of(workload, writer, n);
            append.partition = partition_of(append.stream, partitions).value;
            append.version = version_before(workload, n) + 1;
            append.command_id = to_string(new_uuid7());
            client->append(append);
        };
    });
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

void measure(const Workload& workload, int rounds, Duration at_least) {
    std::vector<double> store, bare, ratios, store_cpu, bare_cpu, store_server, bare_server;
    for (int round = 0; round < rounds; ++round) {
        const Speed first = run_bare(workload, at_least);
        const Speed store_speeds[] = {run_store(workload, at_least), run_store(workload, at_least)};
        const Speed last = run_bare(workload, at_least);
        double store_sum = 0;
        for (const Speed& speed : store_speeds) {
            store.push_back(speed.events_a_second);
            store_cpu.push_back(speed.cpu_us_an_append);
            store_server.push_back(speed.server_us_an_append);
            store_sum += speed.events_a_second;
        }
        for (const Speed& speed : {first, last}) {
            bare.push_back(speed.events_a_second);
            bare_cpu.push_back(speed.cpu_us_an_append);
            bare_server.push_back(speed.server_us_an_append);
        }
        ratios.push_back(store_sum / (first.events_a_second + last.events_a_second));
    }
    const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
    std::printf(
        "%-29s %7.0f events/s %7.0f bare, ratio %.2f (%.2f … %.2f); cpu us an append: client "
        "%.0f, %.0f bare, server %.0f, %.0f bare\n",
        workload.name, median(store), median(bare), median(ratios), *least, *most,
        median(store_cpu), median(bare_cpu), median(store_server), median(bare_server));
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
    const std::string_view wanted = count > 3 ? arguments[3] : "";
    for (const auto& workload : recount::bench::workloads) {
        if (std::string_view{workload.name}.find(wanted) == std::string_view::npos) continue;
        recount::bench::measure(workload, rounds, at_least);
    }
}
