#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "http_server.hpp"
#include "json.hpp"

namespace shop {

/// What a request asks for cannot be done: the answer that says so.
struct Refused {
    HttpResponse response;
};
/// Throws Refused.
[[noreturn]] void refuse(int status, const std::string& title, const std::string& detail = {});

HttpResponse json_answer(const Json& body, int status = 200);

/// The parameter `limit`, `otherwise` when there is none. Throws Refused when it is no number.
std::size_t limit_of(const HttpRequest& request, std::size_t otherwise, std::size_t most);

constexpr std::string_view cart_prefix = "web-";  // carts and orders of the page are called so
constexpr std::size_t longest_cart = 64;
constexpr std::size_t longest_order = cart_prefix.size() + longest_cart;

/// What is between a prefix and a suffix, when a path has both, no more slashes, and no more bytes
/// between them than an id may have.
std::optional<std::string> between(const std::string& path, const std::string& prefix,
                                   const std::string& suffix, std::size_t longest);

/// Quoted or not; throws Refused when there is none.
std::string idempotency_key(const HttpRequest& request);

/// The body as a JSON object; throws Refused when it is none.
Json parsed_body(const HttpRequest& request);

}  // namespace shop
