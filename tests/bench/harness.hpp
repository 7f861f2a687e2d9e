#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace recount::bench {

/// What is measured of a run, and how far from the limit it may be.
struct Measure {
    std::string name;      // with its unit: "events/s"
    double goal;           // ratio to the limit
    bool at_least = true;  // the ratio is to be at least the goal (a rate), else at most (a time)
};

/// One run: a value for each measure. Throws when its oracle finds the result wrong.
using Run = std::function<std::vector<double>()>;

/// recount and the limit, under the same conditions.
struct Comparison {
    std::string workload;  // "W2"
    std::string variant;   // "8 writers"
    std::string limit_is;  // what the limit is
    std::string oracle;    // what a run of recount was checked by
    std::vector<Measure> measures;
    Run recount, limit;
};

/// Runs comparisons in rounds, each in the order limit, recount, recount, limit, so that a machine
/// that slows down or speeds up does it to both. Prints medians and the range of the rounds'
/// ratios, and writes a JSON line for each measure to the file that RECOUNT_BENCH_JSON names.
///
///     <program> [--list] [--rounds N] [--seconds S] [workload…]
class Harness {
public:
    /// `workloads`: names and what each is. Ends the program after --list or on a bad argument.
    Harness(int count, char** arguments, const std::map<std::string, std::string>& workloads);

    /// Whether the command line asks for this workload; all when it names none.
    [[nodiscard]] bool wants(std::string_view workload) const;
    [[nodiscard]] double seconds() const { return seconds_; }  // that a timed run takes, at least

    /// Versions and settings printed with the results and kept beside each.
    void condition(const std::string& name, const std::string& value);
    /// Prints the conditions; before the first comparison.
    void begin() const;
    /// A run that throws is said, kept as a failed oracle and fails the program in the end.
    void compare(const Comparison& comparison);

    /// What main returns.
    [[nodiscard]] int result() const { return failed_ ? 1 : 0; }

private:
    struct Sides;
    void tell(const Comparison& comparison, std::size_t measure, const Sides& sides) const;
    void keep(const Comparison& comparison, std::size_t measure, const Sides& sides,
              const std::string& oracle) const;

    std::vector<std::string> wanted_;
    std::map<std::string, std::string> conditions_;
    int rounds_ = 5;
    double seconds_ = 2;
    bool failed_ = false;
};

double median(std::vector<double> values);
/// The value below which `part` (0 … 1) of them lie.
double percentile(std::vector<double> values, double part);
/// Seconds since some moment.
double seconds_now();
/// Processor time of this process so far, in seconds: what is left of a comparison on a machine
/// that others use too.
double cpu_seconds();

}  // namespace recount::bench
