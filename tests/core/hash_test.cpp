#include <recount/core/envelope.hpp>
#include <recount/core/hash.hpp>

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace {

using namespace recount;

TEST(Sha256Values, AreThoseOfTheStandard) {
    // FIPS 180-4 examples
    EXPECT_EQ(to_string(sha256("")),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(to_string(sha256("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(to_string(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha256Values, AreTheSameInPieces) {
    Sha256 hasher;
    EXPECT_EQ(hasher.add("a").add("").add("bc").finish(), sha256("abc"));
    EXPECT_EQ(hasher.add("abc").finish(), sha256("abc")) << "finish() leaves it as new";
    EXPECT_EQ(hasher.add_u32(0x01020304).add_u64(0x05060708090a0b0c).finish(),
              sha256({"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c", 12}));
}

TEST(Sha256Values, AreMadeOnAnyThread) {
    const Hash here = sha256("abc");
    Hash there;
    std::thread{[&] { there = sha256("abc"); }}.join();
    EXPECT_EQ(here, there);
}

TEST(HmacValues, AreThoseOfTheStandard) {
    // RFC 4231, test cases 1, 2 and 6
    EXPECT_EQ(to_string(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(to_string(hmac_sha256("Jefe", "what do ya want for nothing?")),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(to_string(hmac_sha256(std::string(131, '\xaa'),
                                    "Test Using Larger Than Block-Size Key - Hash Key First")),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Secrets, AreEqualOnlyAsAWhole) {
    EXPECT_TRUE(equal_secret("secret", "secret"));
    EXPECT_FALSE(equal_secret("secret", "secreT"));
    EXPECT_FALSE(equal_secret("secret", "secret "));
    EXPECT_FALSE(equal_secret("", "s"));
}

TEST(ChainHashes, AreWhatTheirDefinitionSays) {
    const Hash before = sha256("before");
    const std::string tail = std::string{before.view()} + "envelope";
    EXPECT_EQ(chain_hash({Partition{1}, 258}, before, "envelope"),
              sha256(std::string{"recount/event/1"} + std::string{"\0\0\0\1\0\0\0\0\0\0\1\2", 12} +
                     tail));
    EXPECT_EQ(payload_digest("salt", "payload"), sha256("saltpayload"));

    const Uuid store = Uuid::from("0123456789abcdef"), incarnation = Uuid::from("fedcba9876543210");
    EXPECT_EQ(origin_hash(store, incarnation, {Partition{2}, 3}, before),
              sha256(std::string{"recount/origin/1"} + "0123456789abcdef" + "fedcba9876543210" +
                     std::string{"\0\0\0\2\0\0\0\0\0\0\0\3", 12} + std::string{before.view()}));
}

TEST(ChainHashes, DependOnEverything) {
    const Hash before = sha256("before");
    const Hash hash = chain_hash({Partition{1}, 2}, before, "envelope");
    EXPECT_NE(chain_hash({Partition{2}, 2}, before, "envelope"), hash);
    EXPECT_NE(chain_hash({Partition{1}, 3}, before, "envelope"), hash);
    EXPECT_NE(chain_hash({Partition{1}, 2}, sha256("other"), "envelope"), hash);
    EXPECT_NE(chain_hash({Partition{1}, 2}, before, "envelopf"), hash);
}

}  // namespace
