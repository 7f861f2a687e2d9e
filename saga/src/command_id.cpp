#include <recount/saga/command_id.hpp>

#include <recount/core/error.hpp>
#include <recount/core/ids.hpp>

#include "timed_id.hpp"

namespace recount::saga {
namespace {

// Names hold no control characters, so a NUL keeps them apart.
void add(std::string& all, std::string_view part) { all.append(part).push_back('\0'); }

}  // namespace

std::string command_id(const v1::SagaBegun& begun, std::string_view step, Way way,
                       std::uint32_t attempt) {
    std::string name;
    add(name, begun.name());
    add(name, begun.id());
    add(name, step);
    add(name, way == Way::forth ? "do" : "undo");
    add(name, std::to_string(attempt));
    switch (begun.command_ids()) {
        case 1:
            return to_string(derived_uuid("recount/saga/command/1", name));
        case 2:
            return to_string(timed_uuid("recount/saga/command/2", name, started_at(begun)));
        default:
            throw InvalidArgument("command ids of rule " + std::to_string(begun.command_ids()) +
                                  " are not known to this program; use a newer one");
    }
}

bool knows_rule_of(const v1::SagaBegun& begun) { return begun.command_ids() <= rule_of_new_sagas; }

std::string begin_id(std::string_view saga_name, std::string_view saga_id) {
    std::string name;
    add(name, saga_name);
    add(name, saga_id);
    return to_string(derived_uuid("recount/saga/begin/1", name));
}

}  // namespace recount::saga
