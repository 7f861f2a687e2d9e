#pragma once

#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <recount/tools.hpp>

namespace recount::test {

/// What the operator's program printed, and returned.
struct Printed {
    int code = 0;
    std::string out, err;

    [[nodiscard]] std::vector<nlohmann::json> lines() const {
        std::vector<nlohmann::json> parsed;
        std::istringstream stream{out};
        for (std::string line; std::getline(stream, line);) {
            parsed.push_back(nlohmann::json::parse(line));
        }
        return parsed;
    }
};

/// Runs `recount` with these arguments, in this process.
inline Printed run(const std::vector<std::string>& arguments) {
    std::vector<const char*> words{"recount"};
    for (const std::string& argument : arguments) words.push_back(argument.c_str());
    std::ostringstream out, err;
    const int code = tools::run(static_cast<int>(words.size()), words.data(), out, err);
    return {code, out.str(), err.str()};
}

}  // namespace recount::test
