#pragma once

#include <recount/projections.hpp>

#include <functional>
#include <memory>
#include <string_view>

namespace recount::test::projections {

/// A database that is lost at a chosen step and stays lost until mended; steps are begins,
/// statements and commits. A lost commit may have happened.
struct Faults {
    std::int64_t steps = 0;     // done so far
    std::int64_t lost_at = -1;  // the step that fails; -1: none
    bool after_commit = false;  // the step that is lost is done first
    bool lost = false;
    std::function<void()> after_transaction = [] {};  // of a database that is not only one
    std::function<void()> before_begin = [] {}, before_commit = [] {};               // may throw
    std::function<void(std::string_view sql)> before_run = [](std::string_view) {};  // may throw

    void mend() { *this = {}; }
    /// Returns true when the step is the one to be done and then lost.
    bool step();
};

/// For ProjectorOptions::open.
OpenDatabase faulty(std::shared_ptr<Faults> faults);

}  // namespace recount::test::projections
