#include "http_server.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <recount/core/error.hpp>

#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

namespace shop {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

sockaddr_in address_of(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/// A connection that sends bytes as they are.
class Wire {
public:
    explicit Wire(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address = address_of(port);
        if (connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
            throw std::runtime_error("cannot connect");
        }
    }
    ~Wire() { ::close(socket_); }
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;

    Wire& send(const std::string& bytes) {
        ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        return *this;
    }
    /// Everything up to the end of the connection.
    std::string rest() {
        std::string received;
        char buffer[4096];
        for (ssize_t size; (size = recv(socket_, buffer, sizeof buffer, 0)) > 0;) {
            received.append(buffer, static_cast<std::size_t>(size));
        }
        return received;
    }

private:
    int socket_;
};

class SmallServer : public testing::Test {
protected:
    static HttpResponse answer(const HttpRequest& request) {
        if (request.path == "/throw") throw std::runtime_error("secret");
        return {.content_type = "text/plain",
                .body = request.method + " " + request.path + " q=" + request.parameter("q") +
                        " h=" + request.header("x-h") + " c=" + request.cookie("c") + " " +
                        request.body};
    }
    std::string ask(const std::string& bytes) { return Wire{server.port()}.send(bytes).rest(); }

    HttpServer server{{.port = 18080,
                       .ports_to_try = 200,
                       .header_bytes = 1024,
                       .body_bytes = 100,
                       .request_time = std::chrono::seconds{1},
                       .connections = 4,
                       .threads = 2},
                      answer};
    std::jthread serving{[this](std::stop_token stop) { server.run(stop); }};
};

TEST_F(SmallServer, HandsOverTheRequest) {
    const std::string received =
        ask("POST /a%20b?q=x%2By+z HTTP/1.1\r\nHost: x\r\nX-H: v\r\nCookie: b=1; c=2\r\n"
            "Content-Length: 4\r\nConnection: close\r\n\r\nbody");
    EXPECT_THAT(received, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(received, HasSubstr("POST /a b q=x+y z h=v c=2 body"));
}

TEST_F(SmallServer, AnswersHeadWithHeadersOnly) {
    const std::string both =
        ask("HEAD /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /22 HTTP/1.1\r\nHost: x\r\n"
            "Connection: close\r\n\r\n");
    const std::string head = both.substr(0, both.find("\r\n\r\n") + 4);
    const std::string rest = both.substr(head.size());
    EXPECT_THAT(head, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(head, HasSubstr("Content-Length: 17\r\n"));  // of "HEAD /1 q= h= c= "
    EXPECT_THAT(rest, StartsWith("HTTP/1.1 200 OK\r\n")) << "the next answer follows at once";
    EXPECT_THAT(rest, HasSubstr("GET /22"));
}

TEST_F(SmallServer, KeepsAConnection) {
    const std::string received =
        ask("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\nConnection: "
            "close\r\n\r\n");
    EXPECT_THAT(received, HasSubstr("GET /1"));
    EXPECT_THAT(received, HasSubstr("GET /2"));
}

TEST_F(SmallServer, RefusesTooMuch) {
    EXPECT_THAT(ask("GET / HTTP/1.1\r\nX: " + std::string(2000, 'x') + "\r\n\r\n"),
                StartsWith("HTTP/1.1 431"));
    EXPECT_THAT(ask("POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n"), StartsWith("HTTP/1.1 413"));
    EXPECT_THAT(
        ask("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n" + std::string(255, 'x')),
        StartsWith("HTTP/1.1 413"));
}

TEST_F(SmallServer, RefusesWhatIsNoHttp) {
    const std::string received = ask("nonsense\r\n\r\n");
    EXPECT_THAT(received, StartsWith("HTTP/1.1 400"));
    EXPECT_THAT(received, HasSubstr("application/problem+json"));
    EXPECT_THAT(ask("GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"), StartsWith("HTTP/1.1 400"));
}

TEST_F(SmallServer, EndsAConnectionThatSaysNothing) {
    EXPECT_EQ(ask("GET / HTTP/1.1\r\n"), "");  // after request_time, not before
}

TEST_F(SmallServer, KeepsQuietAboutItsFaults) {
    const std::string received = ask("GET /throw HTTP/1.1\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(received, StartsWith("HTTP/1.1 500"));
    EXPECT_THAT(received, testing::Not(HasSubstr("secret")));
}

TEST_F(SmallServer, ClosesConnectionsBeyondItsNumber) {
    Wire first{server.port()}, second{server.port()}, third{server.port()}, fourth{server.port()};
    for (Wire* wire : {&first, &second, &third, &fourth}) wire->send("GET / HTTP/1.1\r\n");
    EXPECT_EQ(ask("GET / HTTP/1.1\r\n\r\n"), "");
}

/// While it lives no descriptor can be had.
class NoDescriptors {
public:
    NoDescriptors() {
        getrlimit(RLIMIT_NOFILE, &before_);
        rlimit none = before_;
        none.rlim_cur = 0;
        setrlimit(RLIMIT_NOFILE, &none);
    }
    ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
    NoDescriptors(const NoDescriptors&) = delete;
    NoDescriptors& operator=(const NoDescriptors&) = delete;

private:
    rlimit before_{};
};

/// What the process has used of its processors.
std::chrono::microseconds used_time() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const auto of = [](const timeval& time) {
        return std::chrono::seconds{time.tv_sec} + std::chrono::microseconds{time.tv_usec};
    };
    return of(used.ru_utime) + of(used.ru_stime);
}

TEST_F(SmallServer, DoesNotSpinWhileDescriptorsAreOut) {
    constexpr int milliseconds = 500;
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    std::chrono::microseconds used{};
    {
        const NoDescriptors out;
        sockaddr_in address = address_of(server.port());
        ASSERT_EQ(connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        const auto before = used_time();
        ::poll(nullptr, 0, milliseconds);
        used = used_time() - before;
    }
    ::close(socket);
    EXPECT_LT(used, std::chrono::milliseconds{milliseconds / 4});
    EXPECT_THAT(ask("GET / HTTP/1.1\r\nConnection: close\r\n\r\n"), StartsWith("HTTP/1.1 200"));
}

std::string refusal(const HttpOptions& options) {
    try {
        const HttpServer server{options, {}};
    } catch (const recount::InvalidArgument& refused) {
        return refused.what();
    }
    return "none";
}

TEST(AServerToBe, SaysThatItsAddressIsNone) {
    EXPECT_THAT(refusal({.address = "localhost"}), HasSubstr("\"localhost\" is no IP address"));
}
TEST(AServerToBe, SaysWhyItCannotListen) {
    EXPECT_THAT(refusal({.address = "192.0.2.1"}), HasSubstr("Cannot assign requested address"));
}
TEST(AServerToBe, TakesAnyPortForNone) { EXPECT_GT((HttpServer{{.port = 0}, {}}.port()), 0); }
TEST(AServerToBe, GoesNoFurtherThanTheLastPort) {
    std::optional<HttpServer> last;
    try {
        last.emplace(HttpOptions{.port = 65'535, .ports_to_try = 0}, HttpHandler{});
    } catch (const recount::Unavailable&) {  // another program has it: as good
    }
    EXPECT_THROW(HttpServer({.port = 65'535}, {}), recount::Unavailable);
}

TEST_F(SmallServer, TakesTheNextPortWhenOneIsTaken) {
    HttpServer other{{.port = server.port(), .ports_to_try = 200}, answer};
    EXPECT_GT(other.port(), server.port());
    EXPECT_THROW(HttpServer({.port = server.port(), .ports_to_try = 0}, answer),
                 recount::Unavailable);
}

}  // namespace
}  // namespace shop
