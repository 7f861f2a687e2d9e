// The shop's month replayed, views and sagas caught up, beside a plain program on SQLite's C API
// that writes the rows which the replay left behind, in commits of the same size. The plain program
// writes each row once; heads of streams and partitions, and rows of views, were written many
// times.

#include <recount/core/environment.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/bare_sqlite_copy.hpp"
#include "programs.hpp"

namespace {

constexpr int runs = 3;
constexpr std::int64_t events_a_commit = 1024;       // as the replay's
constexpr std::int64_t view_events_a_commit = 8192;  // as the projector's

struct Run {
    double replay = 0, plain = 0;          // seconds on the wall
    double replay_cpu = 0, plain_cpu = 0;  // of all threads; reading what is copied is counted too
    std::int64_t rows = 0;
    long megabytes = 0;  // before anything was copied
};

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Run run_once(const std::filesystem::path& folder) {
    Run run;
    recount::Environment& environment = recount::Environment::system();
    const auto began = environment.clock.steady();
    const double cpu = cpu_seconds();
    const int code = shop::replay(
        {.store = "sqlite:" + (folder / "shop.db").string(), .data = shop::month_of_orders()}, {});
    if (code != shop::done) throw std::runtime_error("the replay failed");
    run.replay = std::chrono::duration<double>{environment.clock.steady() - began}.count();

    run.replay_cpu = cpu_seconds() - cpu;
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    run.megabytes = usage.ru_maxrss / 1024;

    const auto add = [&](const std::filesystem::path& file, std::int64_t a_commit, bool full) {
        auto to = folder / ("plain-" + file.filename().string());
        const auto copied = recount::bench::copy_rows(file, to, a_commit, full);
        run.plain += copied.seconds;
        run.rows += copied.rows;
    };
    add(folder / "shop.db", events_a_commit, true);
    for (const auto& view : std::filesystem::directory_iterator{folder / "shop.views"}) {
        if (view.path().extension() == ".db") add(view.path(), view_events_a_commit, false);
    }
    run.plain_cpu = cpu_seconds() - cpu - run.replay_cpu;
    return run;
}

}  // namespace

int main() {
    std::vector<double> ratios;
    for (int i = 0; i < runs; ++i) {
        std::string name = std::filesystem::temp_directory_path() / "replay-bench-XXXXXX";
        if (mkdtemp(name.data()) == nullptr) return 1;
        const Run run = run_once(name);
        std::filesystem::remove_all(name);
        if (i == 0) std::printf("memory of the first replay: %ld MB\n", run.megabytes);
        std::printf("replay %.2f s (CPU %.2f s), plain SQLite %.2f s (CPU %.2f s) for %lld rows\n",
                    run.replay, run.replay_cpu, run.plain, run.plain_cpu,
                    static_cast<long long>(run.rows));
        std::fflush(stdout);
        ratios.push_back(run.replay / run.plain);
    }
    std::sort(ratios.begin(), ratios.end());
    std::printf("median: %.2f times plain SQLite (aim: at most 2)\n", ratios[runs / 2]);
    return 0;
}
