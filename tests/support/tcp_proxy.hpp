#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace recount::test {

/// A proxy on the loopback that understands enough of PostgreSQL's protocol to do harm at a chosen
/// statement. Connect with `sslmode=disable&gssencmode=disable`. Thread-safe.
class TcpProxy {
public:
    enum class Harm : std::uint8_t {
        cut_before,     // the server never gets the statement; both connections end
        cut_reply,      // the server does it, its answer is thrown away, then both connections end
        swallow_reply,  // the server does it, the client hears nothing more, but stays connected
        half_close,     // the client is told that nothing more will come, the server gets the
                        // statement
    };

    /// Forwards to a server on 127.0.0.1.
    explicit TcpProxy(std::uint16_t server_port);
    ~TcpProxy();
    TcpProxy(const TcpProxy&) = delete;
    TcpProxy& operator=(const TcpProxy&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }
    /// The same URL, by way of the proxy.
    [[nodiscard]] std::string url_through(const std::string& url) const;

    /// The next `times` statements whose text contains `sql` come to harm.
    void harm(std::string sql, Harm how, int times = 1);
    /// The n-th statement from now on comes to harm, whatever its text; from 1.
    void harm_nth(int n, Harm how);
    /// How many statements came to harm so far.
    [[nodiscard]] int harmed() const { return harmed_; }
    /// How often each text was executed so far, by all connections.
    [[nodiscard]] std::map<std::string, int> statements();
    /// New connections are closed at once.
    void refuse(bool refuse) { refuse_ = refuse; }
    /// Ends all connections that there are; it has when cut() is true.
    void cut_all();
    [[nodiscard]] bool cut();
    /// Bytes go one by one.
    void chop(bool chop) { chop_ = chop; }

private:
    class Connection;

    void accept_all(const std::stop_token& stop);
    bool next_harm(std::string_view sql, Harm& how);

    std::uint16_t server_port_;
    std::uint16_t port_ = 0;
    int listener_ = -1;
    std::atomic<bool> refuse_ = false, chop_ = false;
    std::atomic<int> cut_ = 0, harmed_ = 0;
    std::mutex mutex_;
    std::string sql_;
    Harm how_ = Harm::cut_before;
    int times_ = 0, passed_by_ = 0;
    std::map<std::string, int> statements_;
    std::multiset<int> alive_;           // for each connection, how many cuts were before it
    std::vector<std::jthread> threads_;  // of connections; only the accepting thread adds to it
    std::jthread accepting_;
};

/// The port in a postgresql://user:password@host:port/database URL.
std::uint16_t port_of(const std::string& url);

}  // namespace recount::test
