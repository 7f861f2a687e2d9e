#include <recount/eventstore.hpp>

#include <sqlite3.h>

#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bench/bare_sqlite.hpp"
#include "bench/harness.hpp"
#include "support/temporary_folder.hpp"

/// Appends to a SQLite store, single and grouped, beside a loop of SQLite's C API that writes the
/// very same rows in commits of the same size.
namespace recount::bench {
namespace {

struct Workload {
    const char* name;
    std::size_t appends;  // of one event each
    std::size_t per_call;
    int threads;
    double goal;
    bool durable = true;  // synchronous=FULL, else NORMAL
};

constexpr Workload workloads[] = {
    {"1 append a commit", 4'000, 1, 1, 0.85},
    {"groups of 10", 20'000, 10, 1, 0.9},
    {"groups of 100", 100'000, 100, 1, 0.9},
    {"groups of 500", 200'000, 500, 1, 0.9},
    {"8 writers, 1 append a call", 16'000, 1, 8, 1},
    {"NORMAL, 1 append a commit", 20'000, 1, 1, 0.85, false},
    {"NORMAL, groups of 10", 50'000, 10, 1, 0.9, false},
    {"NORMAL, groups of 100", 100'000, 100, 1, 0.9, false},
};

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

/// Rate and processor time in microseconds, an append.
std::vector<double> spent(double seconds, double cpu, std::size_t appends) {
    const auto count = static_cast<double>(appends);
    return {count / seconds, cpu * 1e6 / count};
}

std::vector<double> run_store(const std::string& path, const Workload& workload,
                              const std::vector<Append>& appends) {
    const auto store = open_store("sqlite:" + path, {.durable = workload.durable});
    const double began = seconds_now();
    const double cpu = cpu_seconds();
    {
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
    }
    const std::vector<double> result =
        spent(seconds_now() - began, cpu_seconds() - cpu, appends.size());
    std::size_t stored = 0;
    for (const LogHead& head : store->verify_chain()) stored += static_cast<std::size_t>(head.n);
    if (stored != appends.size()) throw std::runtime_error("not all was written");
    return result;
}

std::vector<double> run_bare(const std::string& path, Care care, const Workload& workload,
                             const std::vector<Rows>& rows) {
    open_store("sqlite:" + path).reset();
    BareWriter writer{path, care, workload.durable};
    const double began = seconds_now();
    const double cpu = cpu_seconds();
    writer.write(rows, workload.per_call);
    return spent(seconds_now() - began, cpu_seconds() - cpu, rows.size());
}

/// Each run has a new file in a folder that is removed.
template <class Function>
Run in_new_file(Function function) {
    return [function] {
        const test::TemporaryFolder folder;
        return function(folder.file("store.db"));
    };
}

void compare(Harness& harness, const Workload& workload) {
    const std::vector<Append> appends = appends_of(workload);
    std::vector<Rows> rows;
    {
        const test::TemporaryFolder folder;
        Workload in_order = workload;
        in_order.threads = 1;
        run_store(folder.file("store.db"), in_order, appends);
        rows = read_rows(folder.file("store.db"));
    }
    const Run store =
        in_new_file([&](const std::string& path) { return run_store(path, workload, appends); });
    const auto bare = [&](Care care) {
        return in_new_file(
            [&, care](const std::string& path) { return run_bare(path, care, workload, rows); });
    };
    const std::string name = workload.name;
    harness.compare({"W16",
                     name,
                     "C API, same rows; looks up the id, makes and hashes them",
                     "chain verified, all there",
                     {{"appends/s", workload.goal}, {"us of cpu", 1 / workload.goal, false}},
                     store,
                     bare(Care::same)});
    harness.compare({"W16",
                     name + ", rows alone",
                     "C API, same rows, nothing looked up or hashed",
                     "chain verified, all there",
                     {{"appends/s", 0.6}, {"us of cpu", 1 / 0.6, false}},
                     store,
                     bare(Care::none)});
}

}  // namespace
}  // namespace recount::bench

int main(int count, char** arguments) {
    using namespace recount::bench;
    Harness harness{count, arguments, {{"W16", "append on SQLite, synchronous=FULL and NORMAL"}}};
    harness.condition("SQLite", sqlite3_libversion());
    harness.condition("payload bytes", "60");
    harness.begin();
    for (const Workload& workload : workloads) compare(harness, workload);
    return harness.result();
}
