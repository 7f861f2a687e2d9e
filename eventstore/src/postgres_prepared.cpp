#include "postgres_prepared.hpp"

#include <algorithm>
#include <utility>

namespace recount::postgres {

bool Prepared::is_of(std::string_view text, std::span<const Parameter> arguments) const {
    return std::ranges::equal(types, arguments, {}, {}, &Parameter::type) && sql == text;
}

const Prepared* PreparedStatements::find(std::string_view sql,
                                         std::span<const Parameter> arguments) {
    for (const Prepared* each : recent_) {
        if (each != nullptr && each->is_of(sql, arguments)) return each;
    }
    std::vector<std::uint32_t> types;
    for (const Parameter& each : arguments) types.push_back(each.type);
    const auto known = statements_.find(key_of(sql, types));
    return known == statements_.end() ? nullptr : &use(known->second);
}

const Prepared& PreparedStatements::add(Prepared statement) {
    Key key = key_of(statement.sql, statement.types);
    return use(statements_.emplace(std::move(key), std::move(statement)).first->second);
}

void PreparedStatements::clear() {
    recent_ = {};
    statements_.clear();
}

PreparedStatements::Key PreparedStatements::key_of(std::string_view sql,
                                                   std::span<const std::uint32_t> types) {
    Key key{sql};
    for (const std::uint32_t type : types) key.append(1, '\0').append(std::to_string(type));
    return key;
}

const Prepared& PreparedStatements::use(const Prepared& statement) {
    recent_[next_recent_++ % recent_.size()] = &statement;
    return statement;
}

}  // namespace recount::postgres
