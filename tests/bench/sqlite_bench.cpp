#include <recount/core/metrics.hpp>
#include <recount/eventstore.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "bench/bare_sqlite.hpp"

/// Appends a second to a SQLite store, single and grouped, beside a bare loop of SQLite's C API
/// that writes the very same rows in commits of the same size, one after the other in each round.
///
///     sqlite_bench [rounds] [folder]
namespace recount::bench {
namespace {

struct Workload {
    const char* name;
    std::size_t appends;  // of one event each
    std::size_t per_call;
    int threads = 1;
};

constexpr Workload workloads[] = {
    {"1 writer, 1 append a commit", 2'000, 1},
    {"groups of 10", 10'000, 10},
    {"groups of 100", 50'000, 100},
    {"groups of 500", 100'000, 500},
    {"8 writers, 1 append a call", 8'000, 1, 8},
};

/// Processor time of this process: what is left of a comparison on a machine that others use too.
double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto total = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return total(usage.ru_utime) + total(usage.ru_stime);
}

struct Spent {
    double seconds = 0, cpu_seconds = 0;
};

Spent now() {
    return {std::chrono::duration<double>(Environment::system().clock.steady()).count(),
            cpu_seconds()};
}

Spent since(const Spent& began) {
    const Spent end = now();
    return {end.seconds - began.seconds, end.cpu_seconds - began.cpu_seconds};
}

std::vector<Append> appends_of(const Workload& workload) {
    std::vector<Append> appends;
    for (std::size_t i = 0; i < workload.appends; ++i) {
        char id[64];
        std::snprintf(id, sizeof id, "018c2b6e-0000-7000-8000-%012zu", i);
        Append& append = appends.emplace_back();
        append.metadata.command_id = id;
        append.metadata.correlation_id = id;
        const std::size_t stream = i * 7919 % (workload.appends / 5 + 1);  // some five events each
        append.writes.push_back({StreamName::parse("cart-" + std::to_string(536365 + stream)),
                                 Expected::any(),
                                 {NewEvent{"shop.ItemAdded", std::string(60, 'p'), "plain"}}});
        append.request = request_hash(append);
    }
    return appends;
}

Spent run_store(const std::string& path, const Workload& workload,
                const std::vector<Append>& appends) {
    const auto store = open_store("sqlite:" + path);
    const Spent began = now();
    std::vector<std::jthread> threads;
    const std::size_t share = appends.size() / static_cast<std::size_t>(workload.threads);
    for (int thread = 0; thread < workload.threads; ++thread) {
        threads.emplace_back([&, thread] {
            const auto mine =
                std::span{appends}.subspan(static_cast<std::size_t>(thread) * share, share);
            for (std::size_t at = 0; at < mine.size(); at += workload.per_call) {
                store->append(mine.subspan(at, std::min(workload.per_call, mine.size() - at)));
            }
        });
    }
    threads.clear();
    return since(began);
}

Spent run_bare(const std::string& path, Care care, const Workload& workload,
               const std::vector<Rows>& rows) {
    open_store("sqlite:" + path).reset();
    BareWriter writer{path, care};
    const Spent began = now();
    writer.write(rows, workload.per_call);
    return since(began);
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

/// What one side took in each round.
struct Side {
    std::vector<double> rates;  // appends a second
    std::vector<double> cpu;    // microseconds of processor time an append

    void add(const Spent& spent, double appends) {
        rates.push_back(appends / spent.seconds);
        cpu.push_back(spent.cpu_seconds / appends * 1e6);
    }
};

void print_ratio(const char* to, const Side& store, const Side& limit) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < store.rates.size(); ++i) {
        ratios.push_back(store.rates[i] / limit.rates[i]);
    }
    const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
    std::printf("    %-22s %8.0f /s %6.1f us cpu   ratio %.2f (%.2f … %.2f), of cpu %.2f\n", to,
                median(limit.rates), median(limit.cpu), median(ratios), *least, *most,
                median(limit.cpu) / median(store.cpu));
}

void run(const Workload& workload, int rounds, const std::filesystem::path& folder) {
    const std::vector<Append> appends = appends_of(workload);
    const auto count = static_cast<double>(appends.size());
    Side store, checked, bare;
    for (int round = 0; round < rounds; ++round) {
        std::filesystem::remove_all(folder);
        std::filesystem::create_directories(folder);
        store.add(run_store(folder / "store.db", workload, appends), count);
        const std::vector<Rows> rows = read_rows(folder / "store.db");
        if (rows.size() != appends.size()) {
            std::fprintf(stderr, "only %zu rows were written\n", rows.size());
            std::exit(1);
        }
        checked.add(run_bare(folder / "checked.db", Care::checked, workload, rows), count);
        bare.add(run_bare(folder / "bare.db", Care::none, workload, rows), count);
    }
    std::filesystem::remove_all(folder);
    std::printf("%-26s %8.0f /s %6.1f us cpu\n", workload.name, median(store.rates),
                median(store.cpu));
    print_ratio("C API, same care", store, checked);
    print_ratio("C API, rows alone", store, bare);
    std::fflush(stdout);
}

}  // namespace
}  // namespace recount::bench

int main(int count, char** arguments) {
    const int rounds = count > 1 ? std::max(1, std::atoi(arguments[1])) : 5;
    const std::filesystem::path folder =
        count > 2 ? std::filesystem::path{arguments[2]}
                  : std::filesystem::temp_directory_path() / "recount_sqlite_bench";
    std::printf("SQLite, synchronous=FULL, WAL; median of %d rounds (range)\n", rounds);
    for (const auto& workload : recount::bench::workloads) {
        recount::bench::run(workload, rounds, folder);
    }
}
