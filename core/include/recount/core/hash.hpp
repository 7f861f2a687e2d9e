#pragma once

#include <cstdint>
#include <string_view>

#include <recount/core/values.hpp>

namespace recount {

/// Incremental SHA-256 (FIPS 180-4) by OpenSSL, its context reused. One thread at a time.
class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(const Sha256&) = delete;
    Sha256& operator=(const Sha256&) = delete;

    Sha256& add(std::string_view bytes);
    Sha256& add_u32(std::uint32_t value);  // big-endian
    Sha256& add_u64(std::uint64_t value);  // big-endian
    /// The hash of all that was added; the object is then as new.
    Hash finish();

private:
    void* context_;
};

Hash sha256(std::string_view bytes);
/// HMAC-SHA-256 (RFC 2104).
Hash hmac_sha256(std::string_view key, std::string_view bytes);
/// Compares in constant time.
bool equal_secret(std::string_view left, std::string_view right);

}  // namespace recount
