#include <recount/core/hash.hpp>

#include <recount/core/error.hpp>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <limits>

#include "hasher.hpp"

namespace recount {
namespace {

/// Looked up once: asking OpenSSL's providers costs more than hashing a small event.
const EVP_MD* sha256_method() {
    static const EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    return method;
}

void require(bool done) {
    if (!done) throw Error("OpenSSL failed to compute SHA-256; check its installation and memory");
}

EVP_MD_CTX* as_context(void* context) { return static_cast<EVP_MD_CTX*>(context); }

template <class Integer>
Sha256& add_big_endian(Sha256& hasher, Integer value) {
    std::array<char, sizeof(Integer)> bytes;
    for (std::size_t i = bytes.size(); i-- > 0; value >>= 8) bytes[i] = static_cast<char>(value);
    return hasher.add({bytes.data(), bytes.size()});
}

}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
    require(context_ != nullptr && sha256_method() != nullptr);
    require(EVP_DigestInit_ex2(as_context(context_), sha256_method(), nullptr) == 1);
}

Sha256::~Sha256() { EVP_MD_CTX_free(as_context(context_)); }

Sha256& Sha256::add(std::string_view bytes) {
    require(EVP_DigestUpdate(as_context(context_), bytes.data(), bytes.size()) == 1);
    return *this;
}

Sha256& Sha256::add_u32(std::uint32_t value) { return add_big_endian(*this, value); }

Sha256& Sha256::add_u64(std::uint64_t value) { return add_big_endian(*this, value); }

Hash Sha256::finish() {
    Hash hash;
    require(EVP_DigestFinal_ex(as_context(context_), hash.bytes.data(), nullptr) == 1);
    require(EVP_DigestInit_ex2(as_context(context_), nullptr, nullptr) == 1);
    return hash;
}

Sha256& thread_hasher() {
    thread_local Sha256 hasher;
    return hasher;
}

Hash sha256(std::string_view bytes) { return thread_hasher().add(bytes).finish(); }

Hash hmac_sha256(std::string_view key, std::string_view bytes) {
    if (key.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
        throw InvalidArgument("an HMAC key of " + std::to_string(key.size()) +
                              " bytes is too long");
    }
    Hash hash;
    unsigned length = 0;
    const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
    require(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data, bytes.size(),
                 hash.bytes.data(), &length) != nullptr);
    return hash;
}

bool equal_secret(std::string_view left, std::string_view right) {
    return left.size() == right.size() &&
           CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace recount
