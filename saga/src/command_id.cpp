#include <recount/saga/command_id.hpp>

#include <recount/core/ids.hpp>

namespace recount::saga {
namespace {

// Names hold no control characters, so a NUL keeps them apart.
void add(std::string& all, std::string_view part) { all.append(part).push_back('\0'); }

}  // namespace

std::string command_id(std::string_view saga_name, std::string_view saga_id, std::string_view step,
                       Way way, std::uint32_t attempt) {
    std::string name;
    add(name, saga_name);
    add(name, saga_id);
    add(name, step);
    add(name, way == Way::forth ? "do" : "undo");
    add(name, std::to_string(attempt));
    return to_string(derived_uuid("recount/saga/command/1", name));
}

std::string begin_id(std::string_view saga_name, std::string_view saga_id) {
    std::string name;
    add(name, saga_name);
    add(name, saga_id);
    return to_string(derived_uuid("recount/saga/begin/1", name));
}

}  // namespace recount::saga
