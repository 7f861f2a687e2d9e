// The shop's month replayed, views and sagas caught up, beside a plain program on SQLite's C API
// that writes the rows which the replay left behind, in commits of the same size. The plain program
// writes each row once; heads of streams and partitions, and rows of views, were written many
// times.

#include <recount/core/environment.hpp>

#include <sys/resource.h>

#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/bare_sqlite_copy.hpp"
#include "bench/harness.hpp"
#include "programs.hpp"
#include "support/temporary_folder.hpp"

namespace {

using recount::bench::cpu_seconds;
using recount::bench::seconds_now;

constexpr std::int64_t events_a_commit = 1024;       // as the replay's
constexpr std::int64_t view_events_a_commit = 8192;  // as the projector's

void replay_into(const std::filesystem::path& folder) {
    const int code = shop::replay(
        {.store = "sqlite:" + (folder / "shop.db").string(), .data = shop::month_of_orders()}, {});
    if (code != shop::done) throw std::runtime_error("the replay failed");
}

std::vector<double> replay() {
    const recount::test::TemporaryFolder folder;
    const double began = seconds_now();
    const double cpu = cpu_seconds();
    replay_into(folder.path());
    return {seconds_now() - began, cpu_seconds() - cpu};
}

/// Copies what a replay left behind; what it takes to read that is not counted on the wall.
std::vector<double> copy(const std::filesystem::path& from) {
    const recount::test::TemporaryFolder folder;
    const double cpu = cpu_seconds();
    double seconds = 0;
    const auto add = [&](const std::filesystem::path& file, std::int64_t a_commit, bool full) {
        const auto to = folder.path() / ("plain-" + file.filename().string());
        seconds += recount::bench::copy_rows(file, to, a_commit, full).seconds;
    };
    add(from / "shop.db", events_a_commit, true);
    for (const auto& view : std::filesystem::directory_iterator{from / "shop.views"}) {
        if (view.path().extension() == ".db") add(view.path(), view_events_a_commit, false);
    }
    return {seconds, cpu_seconds() - cpu};
}

long peak_megabytes() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;
}

}  // namespace

int main(int count, char** arguments) {
    using namespace recount::bench;
    Harness harness{count, arguments, {{"replay", "the shop's month into SQLite"}}};
    const recount::test::TemporaryFolder folder;
    replay_into(folder.path());
    harness.condition("MB of memory in the first replay", std::to_string(peak_megabytes()));
    harness.begin();
    harness.compare({"replay",
                     "the month of 42,481 rows",
                     "C API, the rows left behind, in commits of the same size",
                     "exit code 0: views and sagas caught up",
                     {{"s", 2, false}, {"s of cpu", 2, false}},
                     replay,
                     [&] { return copy(folder.path()); }});
    return harness.result();
}
