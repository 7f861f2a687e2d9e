#pragma once

#include <iosfwd>

namespace recount::tools {

/// What the operator's program returns to the shell.
enum ExitCode : int {
    ok = 0,
    problem = 1,      // it looked, and what it found is not right: a broken chain, a failed check
    bad_usage = 2,    // unknown command, bad argument, no such stream or store
    unavailable = 3,  // the store could not be reached, or is busy, or the program's standard
                      // output could not be written; try again
};

/// The operator's program as a function: `recount <store|stream|log|topic|audit> …`; `--help`
/// tells. Prints to `out`, complains to `err`, and returns an ExitCode. SIGINT ends `log tail`.
int run(int argc, const char* const* argv, std::ostream& out, std::ostream& err);

}  // namespace recount::tools
