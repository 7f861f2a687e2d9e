#include <optional>
#include <string_view>

#include "http_server.hpp"
#include "json.hpp"

namespace shop {
namespace {

std::string found(const std::map<std::string, std::string>& map, const std::string& name) {
    const auto entry = map.find(name);
    return entry == map.end() ? std::string{} : entry->second;
}

}  // namespace

std::string HttpRequest::header(const std::string& name) const { return found(headers, name); }
std::string HttpRequest::parameter(const std::string& name) const { return found(query, name); }

std::string HttpRequest::cookie(const std::string& name) const {
    const std::string cookies = header("cookie");
    std::string_view rest = cookies;
    while (!rest.empty()) {
        const std::size_t end = rest.find(';');
        std::string_view pair = rest.substr(0, end);
        rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
        while (pair.starts_with(' ')) pair.remove_prefix(1);
        if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) {
            return std::string{pair.substr(name.size() + 1)};
        }
    }
    return {};
}

HttpResponse problem(int status, const std::string& title, const std::string& detail) {
    Json body = Json::object();
    body["type"] = "about:blank";
    body["title"] = title;
    body["status"] = status;
    if (!detail.empty()) body["detail"] = detail;
    return {.status = status, .content_type = "application/problem+json", .body = dump(body)};
}

}  // namespace shop
