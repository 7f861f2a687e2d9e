#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <recount/core/stream.hpp>
#include <recount/saga/state.hpp>

#include "loading.hpp"

namespace recount::saga {

/// A saga that the engine carries out.
struct Active {
    StreamName stream;
    std::string name, id;
    Saga saga = {};
    Version version = {};
    Sends sends = {};
    bool stale = true;               // to be read from its stream before anything is decided
    std::vector<Answer> inbox = {};  // answers to be recorded
    std::string broken = {};         // and what a person is to be asked
    int failures = 0;                // in a row, of the kind that may pass
    std::optional<Timestamp> not_before = {};
    std::optional<Timestamp> left_since = {};  // to a newer program
    std::string lost = {};                     // why nothing can be read or recorded of it any more
    bool over = false;                         // and nothing need be: it had ended

    /// Takes the saga for a move. Until what it leads to is recorded this one is to be read again:
    /// what is left here tells a list how it stands, and has no plan, so nothing is due.
    [[nodiscard]] Saga take() {
        stale = true;
        Saga left;
        left.phase = saga.phase;
        left.attention = saga.attention;
        return std::exchange(saga, std::move(left));
    }
    void keep(Saga same) {
        saga = std::move(same);
        stale = false;
    }
};

}  // namespace recount::saga
