#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <recount/core/envelope.hpp>
#include <recount/core/environment.hpp>

namespace recount {

/// What has been written or seen: positions for each store and incarnation. A value; grows only.
class Token {
public:
    void raise(const StorePositions& seen);
    void raise(const Token& other);
    /// One entry a (store, incarnation), sorted; positions of a dead branch are kept apart, so that
    /// a store can tell which of them still hold.
    [[nodiscard]] const std::vector<StorePositions>& stores() const { return stores_; }
    /// The entries of one store.
    [[nodiscard]] std::vector<StorePositions> of(const Uuid& store) const;
    [[nodiscard]] bool empty() const { return stores_.empty(); }
    friend bool operator==(const Token&, const Token&) = default;

private:
    std::vector<StorePositions> stores_;
};

/// One request's or one user's thread of reads and writes: what it wrote and saw. Pass it to
/// commands and reads; both make it grow. Not thread-safe.
class Session {
public:
    Session() = default;
    explicit Session(Token token) : token_(std::move(token)) {}
    void saw(const StorePositions& seen) { token_.raise(seen); }
    [[nodiscard]] const Token& token() const { return token_; }

private:
    Token token_;
};

/// Turns tokens into small signed strings and back. Thread-safe.
///
/// The string is base64url of: format version, key id, tenant, expiry, and for each store its id,
/// incarnation and positions, all under HMAC-SHA-256. A token grants no rights.
class Tokens {
public:
    struct Key {
        std::string id;      // 1 … 32 bytes
        std::string secret;  // at least 32 bytes; never printed
    };
    struct Options {
        std::string tenant;
        std::chrono::seconds lifetime = std::chrono::hours{24};
        std::size_t max_bytes = 4096;  // of the string; longer ones are refused unread
    };

    /// Signs with the first key, accepts all of them. Throws InvalidArgument for unusable keys.
    explicit Tokens(std::vector<Key> keys, Options options, Environment& environment);
    explicit Tokens(std::vector<Key> keys) : Tokens(std::move(keys), {}, Environment::system()) {}

    [[nodiscard]] std::string encode(const Token& token) const;
    /// Throws InvalidArgument when it is not ours, was changed, is for another tenant, or has
    /// expired.
    [[nodiscard]] Token decode(std::string_view text) const;

private:
    std::vector<Key> keys_;
    Options options_;
    Environment& environment_;
};

}  // namespace recount
