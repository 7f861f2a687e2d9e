#include "answers.hpp"

#include <algorithm>
#include <charconv>

namespace shop {

void refuse(int status, const std::string& title, const std::string& detail) {
    throw Refused{problem(status, title, detail)};
}

HttpResponse json_answer(const Json& body, int status) {
    return {.status = status, .body = dump(body)};
}

std::size_t limit_of(const HttpRequest& request, std::size_t otherwise, std::size_t most) {
    const std::string text = request.parameter("limit");
    std::size_t limit = otherwise;
    if (!text.empty()) {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
        if (error != std::errc{} || end != text.data() + text.size()) {
            refuse(400, "Bad Request", "limit is not a number");
        }
    }
    return std::min(limit, most);
}

std::optional<std::string> between(const std::string& path, const std::string& prefix,
                                   const std::string& suffix, std::size_t longest) {
    if (path.size() <= prefix.size() + suffix.size()) return std::nullopt;
    if (!path.starts_with(prefix) || !path.ends_with(suffix)) return std::nullopt;
    std::string id = path.substr(prefix.size(), path.size() - prefix.size() - suffix.size());
    if (id.size() > longest || id.find('/') != std::string::npos) return std::nullopt;
    return id;
}

std::string idempotency_key(const HttpRequest& request) {
    std::string key = request.header("idempotency-key");
    if (key.size() >= 2 && key.front() == '"' && key.back() == '"') {
        key = key.substr(1, key.size() - 2);
    }
    if (key.empty() || key.size() > 128) {
        refuse(400, "Bad Request", "a POST needs an Idempotency-Key of 1 to 128 characters");
    }
    return key;
}

Json parsed_body(const HttpRequest& request) {
    if (!request.header("content-type").starts_with("application/json")) {
        refuse(415, "Unsupported Media Type", "send application/json");
    }
    Json body = Json::parse(request.body, nullptr, false);
    if (!body.is_object()) refuse(400, "Bad Request", "the body is no JSON object");
    return body;
}

}  // namespace shop
