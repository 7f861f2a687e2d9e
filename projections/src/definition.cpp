#include <recount/projections/definition.hpp>

#include <algorithm>

#include <recount/core/error.hpp>

#include "columns.hpp"

namespace recount {

namespace {

constexpr std::size_t max_name_bytes = 40;

bool is_view_name(const std::string& name) {
    const auto lower = [](char letter) { return letter >= 'a' && letter <= 'z'; };
    return !name.empty() && name.size() <= max_name_bytes && lower(name.front()) &&
           std::all_of(name.begin(), name.end(), [&](char letter) {
               return lower(letter) || (letter >= '0' && letter <= '9') || letter == '_';
           });
}

}  // namespace

void check_definition(const ViewDefinition& definition) {
    if (!is_view_name(definition.name)) {
        throw InvalidArgument(
            "\"" + definition.name +
            "\" cannot name a view: it names tables, schemas and files; use 1 to 40 "
            "of a-z, 0-9 and _, with a letter first");
    }
    if (definition.version < 1) {
        throw InvalidArgument("view " + definition.name + " has version " +
                              std::to_string(definition.version) + "; versions begin at 1");
    }
    if (definition.keyed()) {
        (void)projections::RowColumns{*definition.row->GetDescriptor()};
    }
}

}  // namespace recount
