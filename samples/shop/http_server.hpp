#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace shop {

struct HttpRequest {
    std::string method;
    std::string path;                            // decoded, without the query
    std::map<std::string, std::string> query;    // decoded
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;

    /// Empty when there is none.
    [[nodiscard]] std::string header(const std::string& name) const;
    [[nodiscard]] std::string parameter(const std::string& name) const;
    [[nodiscard]] std::string cookie(const std::string& name) const;
};

struct HttpResponse {
    int status = 200;
    std::string content_type = "application/json";
    std::string body = {};
    std::vector<std::pair<std::string, std::string>> headers = {};
};

/// An answer as RFC 9457 has it: application/problem+json.
HttpResponse problem(int status, const std::string& title, const std::string& detail = {});

/// Called by several threads at once. What it throws becomes a 500 without details.
using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

struct HttpOptions {
    std::string address = "127.0.0.1";
    std::uint16_t port = 8080;  // 0: any that is free
    int ports_to_try = 20;      // the next ones, when it is taken
    std::uint32_t header_bytes = 8 * 1024;
    std::uint64_t body_bytes = std::uint64_t{64} * 1024;
    std::chrono::seconds request_time{10};  // to send a request, and to take its answer
    std::size_t connections = 128;          // more are closed at once
    int threads = 4;
};

/// A small HTTP/1.1 server with keep-alive. Header, body, time and connections are bounded.
///
///     shop::HttpServer server{{.port = 8080}, answer};
///     server.run(stop);
class HttpServer {
public:
    /// Binds; throws recount::Unavailable when no port is free, and InvalidArgument for an address
    /// or a port that it may not have.
    HttpServer(HttpOptions options, HttpHandler handler);
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    [[nodiscard]] std::uint16_t port() const;
    /// Serves until asked to stop; requests being answered are finished.
    void run(std::stop_token stop);

private:
    class Listener;
    std::unique_ptr<Listener> listener_;
};

}  // namespace shop
