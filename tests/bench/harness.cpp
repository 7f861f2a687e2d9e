#include "bench/harness.hpp"

#include <recount/core/environment.hpp>

#include <sys/resource.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

namespace recount::bench {
namespace {

std::string environment_or(const char* name, const char* otherwise) {
    const char* value = std::getenv(name);
    return value == nullptr ? otherwise : value;
}

[[noreturn]] void usage(const std::map<std::string, std::string>& workloads, int status) {
    for (const auto& [name, what] : workloads) {
        std::printf("%s %s\n", name.c_str(), what.c_str());
    }
    std::exit(status);
}

std::string kernel() {
    utsname system{};
    uname(&system);
    return std::string{system.sysname} + " " + system.release;
}

}  // namespace

/// What both sides did in each round; values are per measure.
struct Harness::Sides {
    std::vector<std::vector<double>> recount, limit;
    std::vector<std::vector<double>> ratios;

    explicit Sides(std::size_t measures) : recount(measures), limit(measures), ratios(measures) {}

    void add(const std::vector<double>* recount_runs, const std::vector<double>* limit_runs) {
        for (std::size_t i = 0; i < ratios.size(); ++i) {
            for (int run : {0, 1}) {
                recount[i].push_back(recount_runs[run].at(i));
                limit[i].push_back(limit_runs[run].at(i));
            }
            ratios[i].push_back((recount_runs[0].at(i) + recount_runs[1].at(i)) /
                                (limit_runs[0].at(i) + limit_runs[1].at(i)));
        }
    }
};

Harness::Harness(int count, char** arguments, const std::map<std::string, std::string>& workloads) {
    for (int i = 1; i < count; ++i) {
        const std::string argument = arguments[i];
        if (argument == "--list") usage(workloads, 0);
        if (argument == "--rounds" && i + 1 < count) {
            rounds_ = std::max(1, std::atoi(arguments[++i]));
        } else if (argument == "--seconds" && i + 1 < count) {
            seconds_ = std::atof(arguments[++i]);
        } else if (workloads.contains(argument)) {
            wanted_.push_back(argument);
        } else {
            std::printf("unknown: %s; there are --rounds N, --seconds S and\n", argument.c_str());
            usage(workloads, 2);
        }
    }
    condition("cores", std::to_string(std::thread::hardware_concurrency()));
    condition("kernel", kernel());
    condition("commit", environment_or("RECOUNT_BENCH_COMMIT", "unknown"));
    condition("us added to each fsync", environment_or("RECOUNT_FSYNC_US", "0"));
}

bool Harness::wants(std::string_view workload) const {
    return wanted_.empty() || std::find(wanted_.begin(), wanted_.end(), workload) != wanted_.end();
}

void Harness::condition(const std::string& name, const std::string& value) {
    conditions_[name] = value;
}

void Harness::begin() const {
    std::string line;
    for (const auto& [name, value] : conditions_) {
        line += (line.empty() ? "" : ", ") + name + " " + value;
    }
    std::printf("%s\nmedians of %d rounds of limit, recount, recount, limit (range of ratios)\n",
                line.c_str(), rounds_);
    std::fflush(stdout);
}

void Harness::compare(const Comparison& comparison) {
    Sides sides{comparison.measures.size()};
    try {
        for (int round = 0; round < rounds_; ++round) {
            std::vector<double> limit[2], recount[2];
            limit[0] = comparison.limit();
            recount[0] = comparison.recount();
            recount[1] = comparison.recount();
            limit[1] = comparison.limit();
            sides.add(recount, limit);
        }
    } catch (const std::exception& error) {
        failed_ = true;
        std::printf("%-4s %-34s the run is worth nothing: %s\n", comparison.workload.c_str(),
                    comparison.variant.c_str(), error.what());
        std::fflush(stdout);
        keep(comparison, 0, sides, std::string{"failed: "} + error.what());
        return;
    }
    for (std::size_t i = 0; i < comparison.measures.size(); ++i) {
        tell(comparison, i, sides);
        keep(comparison, i, sides, "passed: " + comparison.oracle);
    }
}

namespace {
bool met(const Measure& measure, double ratio) {
    return measure.at_least ? ratio >= measure.goal : ratio <= measure.goal;
}
}  // namespace

void Harness::tell(const Comparison& comparison, std::size_t index, const Sides& sides) const {
    const Measure& measure = comparison.measures[index];
    const double ratio = median(sides.ratios[index]);
    const auto [least, most] =
        std::minmax_element(sides.ratios[index].begin(), sides.ratios[index].end());
    std::printf("%-4s %-34s %10.5g, limit %10.5g %-12s %5.2f (%.2f … %.2f)  goal %s %.2f: %s\n",
                comparison.workload.c_str(), comparison.variant.c_str(),
                median(sides.recount[index]), median(sides.limit[index]), measure.name.c_str(),
                ratio, *least, *most, measure.at_least ? "≥" : "≤", measure.goal,
                met(measure, ratio) ? "met" : "missed");
    std::fflush(stdout);
}

void Harness::keep(const Comparison& comparison, std::size_t index, const Sides& sides,
                   const std::string& oracle) const {
    const char* file = std::getenv("RECOUNT_BENCH_JSON");
    if (file == nullptr) return;
    const Measure& measure = comparison.measures[index];
    nlohmann::ordered_json line{{"workload", comparison.workload},
                                {"variant", comparison.variant},
                                {"measure", measure.name},
                                {"goal", measure.goal},
                                {"at_least", measure.at_least},
                                {"limit_is", comparison.limit_is},
                                {"oracle", oracle}};
    if (!sides.ratios[index].empty()) {
        const double ratio = median(sides.ratios[index]);
        const auto [least, most] =
            std::minmax_element(sides.ratios[index].begin(), sides.ratios[index].end());
        line["ratio"] = ratio;
        line["min"] = *least;
        line["max"] = *most;
        line["met"] = met(measure, ratio);
        line["value"] = median(sides.recount[index]);
        line["limit"] = median(sides.limit[index]);
        line["rounds"] = sides.ratios[index].size();
        line["values"] = sides.recount[index];
        line["limits"] = sides.limit[index];
    }
    line["conditions"] = conditions_;
    std::ofstream{file, std::ios::app} << line.dump() << '\n';
}

double median(std::vector<double> values) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    const std::size_t half = values.size() / 2;
    return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double percentile(std::vector<double> values, double part) {
    if (values.empty()) return 0;
    const auto at = static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), values.begin() + at, values.end());
    return values[static_cast<std::size_t>(at)];
}

double seconds_now() {
    return std::chrono::duration<double>(Environment::system().clock.steady()).count();
}

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto total = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return total(usage.ru_utime) + total(usage.ru_stime);
}

}  // namespace recount::bench
