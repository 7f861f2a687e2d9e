#include <recount/outbox/audit.hpp>

#include <sstream>

#include <recount/core/error.hpp>

#include "hex.hpp"

namespace recount {

std::string to_text(const std::vector<AuditPlace>& places) {
    std::ostringstream text;
    for (const auto& place : places) {
        text << place.n << ' ' << to_string(place.hash) << ' ' << place.offset << '\n';
    }
    return text.str();
}

std::vector<AuditPlace> parse_audit_places(const std::string& text) {
    std::vector<AuditPlace> places;
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words{line};
        AuditPlace place;
        std::string hash;
        words >> place.n >> hash >> place.offset;
        const auto parsed = parse_hash(hash);
        const bool whole = words && words.peek() == std::istringstream::traits_type::eof();
        if (!whole || !parsed || place.n < 0 || place.offset < 0 || lines.eof()) {
            throw InvalidArgument("not the places of an audit: line " +
                                  std::to_string(places.size() + 1) +
                                  " is damaged; begin without them");
        }
        place.hash = *parsed;
        places.push_back(place);
    }
    return places;
}

}  // namespace recount
