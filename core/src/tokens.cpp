#include <recount/core/session.hpp>

#include <recount/core/error.hpp>
#include <recount/core/hash.hpp>

#include <algorithm>
#include <cstdint>
#include <set>

#include "base64url.hpp"
#include "text.hpp"
#include "wire.hpp"

// Format 1, before base64url; numbers are varints, texts begin with their length: 1, key id,
// tenant, expiry in seconds since 1970, number of entries, then for each entry the store's id,
// incarnation (16 bytes each), number of positions, positions; last the HMAC of all before it.

namespace recount {
namespace {

constexpr std::uint64_t format = 1;
constexpr std::chrono::seconds longest_lifetime = std::chrono::years{100};  // or so: it is added
constexpr std::string_view domain = "recount/token/1";

[[noreturn]] void refuse(const std::string& why) {
    throw InvalidArgument("session token " + why + "; begin a new session");
}

void put_text(wire::Writer& out, std::string& bytes, std::string_view text) {
    out.varint(text.size());
    bytes.append(text);
}

void put_positions(wire::Writer& out, std::string& bytes, const StorePositions& seen) {
    bytes.append(seen.store.view()).append(seen.incarnation.view());
    const auto& all = seen.positions.values();
    const auto last = std::find_if(all.rbegin(), all.rend(), [](auto n) { return n != 0; });
    const auto count = static_cast<std::size_t>(all.rend() - last);
    out.varint(count);
    for (std::size_t i = 0; i < count; ++i) out.varint(static_cast<std::uint64_t>(all[i]));
}

std::string mac(const Tokens::Key& key, std::string_view body) {
    return std::string{hmac_sha256(key.secret, std::string{domain}.append(body)).view()};
}

/// Takes the parts off the front of a token's bytes.
class Parts {
public:
    explicit Parts(std::string_view bytes) : rest_(bytes) {}

    std::uint64_t number() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 63; shift += 7) {
            const auto byte = static_cast<std::uint8_t>(bytes(1).front());
            value |= std::uint64_t{byte & 0x7fU} << shift;
            if (byte < 0x80) return value;
        }
        refuse("is malformed");
    }
    std::string_view bytes(std::uint64_t size) {
        if (size > rest_.size()) refuse("is malformed");
        const std::string_view taken = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return taken;
    }
    std::string_view text() { return bytes(number()); }
    [[nodiscard]] std::string_view rest() const { return rest_; }

private:
    std::string_view rest_;
};

StorePositions take_positions(Parts& in) {
    StorePositions seen{Uuid::from(in.bytes(16)), Uuid::from(in.bytes(16)), {}};
    const std::uint64_t count = in.number();
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto n = static_cast<std::int64_t>(in.number());
        seen.positions.set({Partition{static_cast<std::int32_t>(i)}, n});
    }
    return seen;
}

}  // namespace

Tokens::Tokens(std::vector<Key> keys, Options options, Environment& environment)
    : keys_(std::move(keys)), options_(std::move(options)), environment_(environment) {
    if (keys_.empty()) throw InvalidArgument("session tokens need a key; give at least one");
    std::set<std::string> ids;
    for (const Key& key : keys_) {
        if (key.id.empty() || key.id.size() > 32) {
            throw InvalidArgument("a token key's id has " + std::to_string(key.id.size()) +
                                  " bytes; give 1 to 32");
        }
        if (key.secret.size() < 32) {
            throw InvalidArgument("the secret of token key " + text::quoted(key.id) +
                                  " is too short; give at least 32 random bytes");
        }
        if (!ids.insert(key.id).second) {
            throw InvalidArgument("two token keys have the id " + text::quoted(key.id) +
                                  "; give each its own");
        }
    }
    if (options_.tenant.size() > 255) {
        throw InvalidArgument("a token's tenant has " + std::to_string(options_.tenant.size()) +
                              " bytes; give at most 255");
    }
}

std::string Tokens::encode(const Token& token) const {
    std::string bytes;
    wire::Writer out{bytes};
    const auto expiry = std::chrono::ceil<std::chrono::seconds>(environment_.clock.now()) +
                        std::min(options_.lifetime, longest_lifetime);
    out.varint(format);
    put_text(out, bytes, keys_.front().id);
    put_text(out, bytes, options_.tenant);
    out.varint(
        static_cast<std::uint64_t>(std::max<std::int64_t>(expiry.time_since_epoch().count(), 0)));
    out.varint(token.stores().size());
    for (const StorePositions& seen : token.stores()) put_positions(out, bytes, seen);
    bytes += mac(keys_.front(), bytes);
    std::string text = base64url(bytes);
    if (text.size() > options_.max_bytes) {
        throw InvalidArgument("a session token of " + std::to_string(text.size()) +
                              " bytes is longer than the " + std::to_string(options_.max_bytes) +
                              " allowed; begin a new session, or allow more");
    }
    return text;
}

Token Tokens::decode(std::string_view text) const {
    static constexpr std::size_t mac_bytes = sizeof(Hash);
    if (text.size() > options_.max_bytes) refuse("is too long");
    const auto bytes = from_base64url(text);
    if (!bytes || bytes->size() < mac_bytes) refuse("is malformed");
    const std::string_view body = std::string_view{*bytes}.substr(0, bytes->size() - mac_bytes);

    Parts in{body};
    if (in.number() != format) refuse("has an unknown format");
    const std::string_view key_id = in.text();
    const auto key = std::find_if(keys_.begin(), keys_.end(),
                                  [&](const Key& candidate) { return candidate.id == key_id; });
    if (key == keys_.end()) refuse("was signed with a key that is not known here");
    if (!equal_secret(mac(*key, body), std::string_view{*bytes}.substr(body.size()))) {
        refuse("does not carry a valid signature");
    }
    if (in.text() != options_.tenant) refuse("is for another tenant");
    const std::chrono::sys_seconds expiry{
        std::chrono::seconds{static_cast<std::int64_t>(in.number())}};
    if (expiry <= environment_.clock.now()) refuse("has expired");

    Token token;
    for (std::uint64_t left = in.number(); left > 0; --left) token.raise(take_positions(in));
    if (!in.rest().empty()) refuse("is malformed");
    return token;
}

}  // namespace recount
