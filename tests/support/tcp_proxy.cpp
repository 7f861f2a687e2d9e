#include "support/tcp_proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <map>
#include <optional>
#include <stdexcept>

namespace recount::test {
namespace {

class Socket {
public:
    explicit Socket(int handle) : handle_(handle) {}
    ~Socket() {
        if (handle_ >= 0) ::close(handle_);
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    [[nodiscard]] int get() const { return handle_; }

private:
    int handle_;
};

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

int connect_to(std::uint16_t port) {
    const int handle = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(port);
    if (::connect(handle, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        ::close(handle);
        return -1;
    }
    const int on = 1;
    ::setsockopt(handle, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return handle;
}

bool send_all(int handle, std::string_view bytes, bool chop) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(handle, bytes.data(), chop ? 1 : bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

/// Cuts a stream of PostgreSQL messages: a type byte, four bytes of length, the rest.
class Messages {
public:
    explicit Messages(bool startup) : startup_(startup) {}
    void add(std::string_view bytes) { buffer_ += bytes; }

    std::optional<std::string> next() {
        const std::size_t head = startup_ ? 0 : 1;
        if (buffer_.size() < head + 4) return {};
        std::uint32_t length = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            length = length << 8 | static_cast<std::uint8_t>(buffer_[head + i]);
        }
        if (buffer_.size() < head + length) return {};
        std::string message = buffer_.substr(0, head + length);
        buffer_.erase(0, head + length);
        startup_ = false;
        return message;
    }

private:
    bool startup_;  // the first message of a client has no type byte
    std::string buffer_;
};

std::string text_at(const std::string& message, std::size_t at) {
    return at < message.size() ? std::string{message.c_str() + at} : std::string{};
}

}  // namespace

/// Two sockets and what passes between them.
class TcpProxy::Connection {
public:
    Connection(TcpProxy& proxy, int client, int server)
        : proxy_(proxy), client_(client), server_(server) {
        const std::lock_guard lock{proxy_.mutex_};
        cut_ = proxy_.cut_;
        proxy_.alive_.insert(cut_);
    }

    void run(const std::stop_token& stop) {
        while (!stop.stop_requested() && cut_ == proxy_.cut_) {
            std::array<pollfd, 2> ready{{{client_.get(), POLLIN, 0}, {server_.get(), POLLIN, 0}}};
            if (::poll(ready.data(), ready.size(), 20) < 0) break;
            if (ready[0].revents != 0 && !from_client()) break;
            if (ready[1].revents != 0 && !from_server()) break;
        }
        const std::lock_guard lock{proxy_.mutex_};
        proxy_.alive_.erase(proxy_.alive_.find(cut_));
    }

private:
    static std::string receive(int handle) {
        std::array<char, 65536> buffer{};
        const ssize_t count = ::recv(handle, buffer.data(), buffer.size(), 0);
        return count <= 0 ? std::string{}
                          : std::string{buffer.data(), static_cast<std::size_t>(count)};
    }

    bool from_client() {
        const std::string bytes = receive(client_.get());
        if (bytes.empty()) return false;
        client_messages_.add(bytes);
        while (const auto message = client_messages_.next()) {
            if (!harm_) {
                Harm how{};
                const std::string sql = statement(*message);
                if (!sql.empty() && proxy_.next_harm(sql, how)) harm_ = how;
                if (harm_ == Harm::half_close) ::shutdown(client_.get(), SHUT_WR);
            }
            if (harm_ == Harm::cut_before) return false;
            if (!send_all(server_.get(), *message, proxy_.chop_)) return false;
        }
        return true;
    }

    bool from_server() {
        const std::string bytes = receive(server_.get());
        if (bytes.empty()) return false;
        if (!harm_) return send_all(client_.get(), bytes, proxy_.chop_);
        server_messages_.add(bytes);
        while (const auto message = server_messages_.next()) {
            const bool ready_for_query = message->front() == 'Z';
            if (ready_for_query && harm_ == Harm::cut_reply) return false;
        }
        return true;
    }

    /// The text that a message has executed, if it has any.
    std::string statement(const std::string& message) {
        switch (message.front()) {
            case 'Q':
                return text_at(message, 5);
            case 'P': {
                const std::string name = text_at(message, 5);
                texts_[name] = text_at(message, 5 + name.size() + 1);
                return {};
            }
            case 'B': {
                const std::string portal = text_at(message, 5);
                return texts_[text_at(message, 5 + portal.size() + 1)];
            }
            default:
                return {};
        }
    }

    TcpProxy& proxy_;
    Socket client_, server_;
    int cut_ = 0;
    std::optional<Harm> harm_;
    Messages client_messages_{true};
    Messages server_messages_{false};
    std::map<std::string, std::string> texts_;  // of prepared statements, by name
};

TcpProxy::TcpProxy(std::uint16_t server_port) : server_port_(server_port) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), length) != 0 ||
        ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
        throw std::runtime_error("the proxy found no port on 127.0.0.1");
    }
    port_ = ntohs(address.sin_port);
    accepting_ = std::jthread{[this](const std::stop_token& stop) { accept_all(stop); }};
}

TcpProxy::~TcpProxy() {
    accepting_ = {};
    threads_.clear();
    ::close(listener_);
}

void TcpProxy::accept_all(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        pollfd ready{listener_, POLLIN, 0};
        if (::poll(&ready, 1, 20) <= 0) continue;
        const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (client < 0) continue;
        const int server = refuse_ ? -1 : connect_to(server_port_);
        if (server < 0) {
            ::close(client);
            continue;
        }
        const int on = 1;
        ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        threads_.emplace_back([this, client, server](const std::stop_token& token) {
            Connection{*this, client, server}.run(token);
        });
    }
}

void TcpProxy::harm(std::string sql, Harm how, int times) {
    const std::lock_guard lock{mutex_};
    sql_ = std::move(sql);
    how_ = how;
    times_ = times;
    passed_by_ = 0;
}

void TcpProxy::harm_nth(int n, Harm how) {
    const std::lock_guard lock{mutex_};
    sql_.clear();
    how_ = how;
    times_ = 1;
    passed_by_ = n - 1;
}

void TcpProxy::cut_all() {
    const std::lock_guard lock{mutex_};
    ++cut_;
}

bool TcpProxy::cut() {
    const std::lock_guard lock{mutex_};
    return alive_.empty() || *alive_.begin() == cut_;
}

std::map<std::string, int> TcpProxy::statements() {
    const std::lock_guard lock{mutex_};
    return statements_;
}

bool TcpProxy::next_harm(std::string_view sql, Harm& how) {
    const std::lock_guard lock{mutex_};
    ++statements_[std::string{sql}];
    if (times_ == 0 || sql.find(sql_) == std::string_view::npos) return false;
    if (passed_by_ > 0) {
        --passed_by_;
        return false;
    }
    --times_;
    ++harmed_;
    how = how_;
    return true;
}

std::string TcpProxy::url_through(const std::string& url) const {
    const std::string server = ":" + std::to_string(port_of(url)) + "/";
    std::string through = url;
    through.replace(through.find(server), server.size(), ":" + std::to_string(port_) + "/");
    return through + (url.find('?') == std::string::npos ? "?" : "&") +
           "sslmode=disable&gssencmode=disable";
}

std::uint16_t port_of(const std::string& url) {
    const std::size_t slash = url.find('/', url.find("://") + 3);
    const std::size_t colon = url.rfind(':', slash);
    return static_cast<std::uint16_t>(std::stoi(url.substr(colon + 1, slash - colon - 1)));
}

}  // namespace recount::test
