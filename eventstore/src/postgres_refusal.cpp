#include <spdlog/fmt/fmt.h>

#include <string>
#include <string_view>

#include "postgres_session.hpp"

namespace recount::postgres {
namespace {

bool passes(std::string_view state) {
    return state == "40001" || state == "40P01" || state == "55P03" || state == "57014" ||
           state == "25006" || state.starts_with("53");
}

std::string_view advice(std::string_view state, bool again) {
    if (state == "55P03") return "; another transaction holds the lock for too long, try again";
    if (state == "57014") return "; it took longer than its time-out allows, try again or raise it";
    if (state == "25006") return "; this server takes no writes, connect to the primary";
    if (state == "53100") return "; make room on the server's disk, then try again";
    if (state == "53300") return "; raise the server's max_connections or open fewer stores";
    if (state == "42501") return "; grant the user that right, or connect as one who has it";
    if (again) return "; run the whole transaction again";
    return "";
}

/// Of data that does not fit the server quotes the value (class 22), which is nobody's business.
std::string without_value(const Failure& failure) {
    const std::size_t from = failure.message.find('"');
    if (!failure.state.starts_with("22") || from == std::string::npos) return failure.message;
    return failure.message.substr(0, from) + "\"…\"";
}

}  // namespace

ServerError refusal(const std::string& by, const Failure& failure, std::string_view sql) {
    const bool again = failure.stale_plan || passes(failure.state);
    return {fmt::format("{} refused '{}': {} (SQLSTATE {}){}", by, sql.substr(0, 60),
                        without_value(failure), failure.state, advice(failure.state, again)),
            again, failure.state};
}

}  // namespace recount::postgres
