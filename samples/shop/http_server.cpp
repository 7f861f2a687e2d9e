#include "http_server.hpp"

#include <recount/core/error.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <optional>
#include <string_view>
#include <thread>

namespace shop {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

constexpr int highest_port = 65'535;

int hex(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    const char lower = static_cast<char>(std::tolower(static_cast<unsigned char>(digit)));
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string decoded(std::string_view text, bool plus_is_blank) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && hex(text[i + 1]) >= 0 &&
            hex(text[i + 2]) >= 0) {
            result.push_back(static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2])));
            i += 2;
        } else {
            result.push_back(plus_is_blank && text[i] == '+' ? ' ' : text[i]);
        }
    }
    return result;
}

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

HttpRequest request_of(http::request<http::string_body>&& message) {
    HttpRequest request;
    request.method = view(message.method_string());
    const std::string_view target = view(message.target());
    const std::size_t mark = target.find('?');
    request.path = decoded(target.substr(0, mark), false);
    std::string_view rest = mark == std::string_view::npos ? "" : target.substr(mark + 1);
    while (!rest.empty()) {
        const std::string_view pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
        const std::size_t equals = std::min(pair.find('='), pair.size());
        request.query[decoded(pair.substr(0, equals), true)] =
            decoded(pair.substr(std::min(pair.size(), equals + 1)), true);
    }
    for (const auto& field : message) {
        std::string name{view(field.name_string())};
        std::transform(name.begin(), name.end(), name.begin(), [](unsigned char character) {
            return static_cast<char>(std::tolower(character));
        });
        request.headers[name] = view(field.value());
    }
    request.body = std::move(message.body());
    return request;
}

/// One connection: reads a request, answers it, and so on. Lives in its own callbacks.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(tcp::socket socket, const HttpOptions& options, const HttpHandler& handler,
               std::atomic<std::size_t>& count)
        : stream_(std::move(socket)), options_(options), handler_(handler), count_(count) {
        ++count_;
    }
    ~Connection() { --count_; }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void read() {
        parser_.emplace();
        parser_->header_limit(options_.header_bytes);
        parser_->body_limit(options_.body_bytes);
        stream_.expires_after(options_.request_time);
        http::async_read(stream_, buffer_, *parser_,
                         [self = shared_from_this()](beast::error_code error, std::size_t) {
                             self->on_read(error);
                         });
    }

private:
    void on_read(beast::error_code error) {
        head_ = parser_->get().method() == http::verb::head;
        if (error == http::error::body_limit) return refuse(413, "Content Too Large");
        if (error == http::error::header_limit) return refuse(431, "Header Fields Too Large");
        if (error && error.category() == http::make_error_code(http::error{}).category() &&
            error != http::error::end_of_stream && error != http::error::partial_message) {
            return refuse(400, "Bad Request");
        }
        if (error) return close();
        const bool keep = parser_->get().keep_alive();
        HttpResponse response;
        try {
            response = handler_(request_of(parser_->release()));
        } catch (const std::exception&) {
            response = problem(500, "Internal Server Error");
        }
        write(std::move(response), keep);
    }

    void refuse(int status, const std::string& title) { write(problem(status, title), false); }

    void write(HttpResponse response, bool keep) {
        message_.emplace(static_cast<http::status>(response.status), 11);
        message_->set(http::field::content_type, response.content_type);
        message_->set(http::field::cache_control, "no-store");
        message_->set("X-Content-Type-Options", "nosniff");
        for (const auto& [name, value] : response.headers) message_->insert(name, value);
        message_->keep_alive(keep);
        message_->body() = std::move(response.body);
        message_->prepare_payload();
        if (head_) message_->body().clear();  // its length stays
        stream_.expires_after(options_.request_time);
        http::async_write(stream_, *message_,
                          [self = shared_from_this(), keep](beast::error_code error, std::size_t) {
                              if (error || !keep) return self->close();
                              self->read();
                          });
    }

    void close() {
        beast::error_code ignored;
        stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    }

    beast::tcp_stream stream_;
    const HttpOptions& options_;
    const HttpHandler& handler_;
    std::atomic<std::size_t>& count_;
    beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::string_body>> parser_;
    std::optional<http::response<http::string_body>> message_;
    bool head_ = false;  // headers only are asked for
};

}  // namespace

class HttpServer::Listener {
public:
    Listener(HttpOptions options, HttpHandler handler)
        : options_(std::move(options)), handler_(std::move(handler)), acceptor_(io_), pause_(io_) {
        beast::error_code wrong;
        const auto address = asio::ip::make_address(options_.address, wrong);
        if (wrong) {
            throw recount::InvalidArgument("\"" + options_.address +
                                           "\" is no IP address; give one of this machine, as "
                                           "127.0.0.1, or 0.0.0.0 for all of them");
        }
        const int last =
            options_.port == 0 ? 0 : std::min(options_.port + options_.ports_to_try, highest_port);
        for (int port = options_.port; port <= last; ++port) {
            if (bind({address, static_cast<std::uint16_t>(port)})) return;
        }
        throw recount::Unavailable("no port from " + std::to_string(options_.port) + " to " +
                                   std::to_string(last) + " on " + options_.address +
                                   " is free; name one with --port");
    }

    [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

    void run(std::stop_token stop) {
        accept();
        const std::stop_callback ended{stop, [this] { io_.stop(); }};
        std::vector<std::jthread> threads;
        for (int i = 1; i < options_.threads; ++i) threads.emplace_back([this] { io_.run(); });
        io_.run();
    }

private:
    /// False when somebody else has the port.
    bool bind(const tcp::endpoint& endpoint) {
        beast::error_code error;
        acceptor_.open(endpoint.protocol(), error);
        if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
        if (!error) acceptor_.bind(endpoint, error);
        if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
        if (!error) return true;
        acceptor_.close();
        if (error == asio::error::address_in_use) return false;
        throw recount::InvalidArgument("cannot listen on " + options_.address + ", port " +
                                       std::to_string(endpoint.port()) + ": " + error.message() +
                                       "; name another one with --address or --port");
    }

    void accept() {
        acceptor_.async_accept(asio::make_strand(io_), [this](beast::error_code error,
                                                              tcp::socket socket) {
            if (error == asio::error::operation_aborted) return;
            if (!error && count_ < options_.connections) {
                std::make_shared<Connection>(std::move(socket), options_, handler_, count_)->read();
            }
            error ? accept_later() : accept();
        });
    }

    /// Who cannot be accepted, as when there are no descriptors left, stays in the queue: at once
    /// it would fail again, without end.
    void accept_later() {
        pause_.expires_after(std::chrono::milliseconds{100});
        pause_.async_wait([this](beast::error_code error) {
            if (!error) accept();
        });
    }

    HttpOptions options_;
    HttpHandler handler_;
    std::atomic<std::size_t> count_ = 0;
    asio::io_context io_;
    tcp::acceptor acceptor_;
    asio::steady_timer pause_;
};

HttpServer::HttpServer(HttpOptions options, HttpHandler handler)
    : listener_(std::make_unique<Listener>(std::move(options), std::move(handler))) {}
HttpServer::~HttpServer() = default;

std::uint16_t HttpServer::port() const { return listener_->port(); }
void HttpServer::run(std::stop_token stop) { listener_->run(std::move(stop)); }

}  // namespace shop
