#include <recount/core/error.hpp>
#include <recount/core/hash.hpp>
#include <recount/core/session.hpp>
#include <recount/testing/manual_environment.hpp>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace {

using namespace recount;
using namespace std::chrono_literals;
using recount::test::ManualEnvironment;

StorePositions seen(const std::string& store, std::int64_t n, std::int32_t partition = 0,
                    const std::string& incarnation = "incarnation-aaaa") {
    StorePositions positions{Uuid::from(store), Uuid::from(incarnation), Positions{4}};
    positions.positions.raise({Partition{partition}, n});
    return positions;
}

Tokens::Key key(const std::string& id) { return {id, "secret of " + id + std::string(32, '!')}; }

TEST(AToken, OnlyGrows) {
    Token token;
    token.raise(seen("store-bbbbbbbbbb", 5));
    token.raise(seen("store-bbbbbbbbbb", 3));
    token.raise(seen("store-bbbbbbbbbb", 2, 1));
    token.raise(seen("store-aaaaaaaaaa", 1));
    ASSERT_EQ(token.stores().size(), 2U);
    EXPECT_EQ(token.stores()[0].store, Uuid::from("store-aaaaaaaaaa"));
    EXPECT_EQ(token.stores()[1].positions.values(), (std::vector<std::int64_t>{5, 2, 0, 0}));
    EXPECT_EQ(token.of(Uuid::from("store-bbbbbbbbbb")).size(), 1U);
    EXPECT_TRUE(token.of(Uuid{}).empty());
}

TEST(AToken, KeepsTheBranchesOfAStoreApart) {
    Token token;
    token.raise(seen("store-aaaaaaaaaa", 5, 0, "incarnation-bbbb"));
    token.raise(seen("store-aaaaaaaaaa", 9, 0, "incarnation-aaaa"));
    EXPECT_EQ(token.of(Uuid::from("store-aaaaaaaaaa")).size(), 2U);
}

TEST(AToken, SaysNothingOfNothing) {
    Token token;
    token.raise(seen("store-aaaaaaaaaa", 0));
    EXPECT_TRUE(token.empty());
    EXPECT_EQ(token, Token{});
}

class TokenStrings : public testing::Test {
protected:
    Tokens tokens(std::vector<Tokens::Key> keys = {key("k1")}, Tokens::Options options = {}) {
        return Tokens{std::move(keys), std::move(options), world_.environment()};
    }
    static Token some() {
        Token token;
        token.raise(seen("store-aaaaaaaaaa", 1'000'000'007, 3));
        token.raise(seen("store-bbbbbbbbbb", 5));
        return token;
    }
    ManualEnvironment world_;
};

TEST_F(TokenStrings, ComeBackAsTheyWent) {
    const std::string text = tokens().encode(some());
    EXPECT_EQ(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-_"),
              std::string::npos);
    EXPECT_LT(text.size(), 200U);
    EXPECT_EQ(tokens().decode(text), some());
    EXPECT_EQ(tokens().decode(tokens().encode(Token{})), Token{});
}

TEST_F(TokenStrings, ComeBackWhateverTheyHold) {
    const Tokens some_tokens = tokens();
    EXPECT_TRUE(rc::check([&](const std::vector<std::tuple<std::uint8_t, std::uint8_t, int>>& all) {
        Token token;
        for (const auto& [store, partition, n] : all) {
            token.raise(seen("store-number-" + std::to_string(100 + store % 7), std::abs(n / 2),
                             partition % 16));
        }
        RC_ASSERT(some_tokens.decode(some_tokens.encode(token)) == token);
    }));
}

TEST_F(TokenStrings, AreRefusedWhenAnythingWasChanged) {
    const Tokens some_tokens = tokens();
    const std::string text = some_tokens.encode(some());
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string changed = text;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        EXPECT_THROW((void)some_tokens.decode(changed), InvalidArgument) << i;
        EXPECT_THROW((void)some_tokens.decode(text.substr(0, i)), InvalidArgument) << i;
    }
    for (const std::string& other :
         {text + "A", text + "=", text + "\n", "!" + text, std::string{}, std::string(100, 'A')}) {
        EXPECT_THROW((void)some_tokens.decode(other), InvalidArgument) << other;
    }
}

TEST_F(TokenStrings, HaveOneFormOnly) {
    // Each tenant is a byte longer, so that one of them ends with bits that mean nothing.
    for (const std::string tenant : {"t", "te", "ten"}) {
        const Tokens some_tokens = tokens({key("k1")}, {.tenant = tenant});
        std::string text = some_tokens.encode(some());
        static constexpr std::string_view digits =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        EXPECT_THROW((void)some_tokens.decode(text + "A"), InvalidArgument) << tenant;
        text.back() = digits[digits.find(text.back()) ^ 1];
        EXPECT_THROW((void)some_tokens.decode(text), InvalidArgument) << tenant;
    }
}

TEST_F(TokenStrings, AreRefusedWhenSignedWithAnotherSecret) {
    Tokens::Key forged = key("k1");
    forged.secret = std::string(64, 'f');
    EXPECT_THROW((void)tokens().decode(tokens({forged}).encode(some())), InvalidArgument);
    EXPECT_THROW((void)tokens().decode(tokens({key("k2")}).encode(some())), InvalidArgument);
}

TEST_F(TokenStrings, OutliveAChangeOfKeys) {
    const std::string old = tokens({key("k1")}).encode(some());
    EXPECT_EQ(tokens({key("k2"), key("k1")}).decode(old), some());
    EXPECT_THROW((void)tokens({key("k2")}).decode(old), InvalidArgument);
}

TEST_F(TokenStrings, Expire) {
    const Tokens short_lived = tokens({key("k1")}, {.lifetime = 60s});
    const std::string text = short_lived.encode(some());
    world_.advance(59s);
    EXPECT_NO_THROW((void)short_lived.decode(text));
    world_.advance(2s);
    EXPECT_THROW((void)short_lived.decode(text), InvalidArgument);
}

TEST_F(TokenStrings, AreOfOneTenant) {
    const std::string text = tokens({key("k1")}, {.tenant = "a"}).encode(some());
    EXPECT_NO_THROW((void)tokens({key("k1")}, {.tenant = "a"}).decode(text));
    EXPECT_THROW((void)tokens({key("k1")}, {.tenant = "b"}).decode(text), InvalidArgument);
    EXPECT_THROW((void)tokens().decode(text), InvalidArgument);
}

TEST_F(TokenStrings, AreRefusedUnreadWhenHuge) {
    const Tokens some_tokens = tokens();
    EXPECT_THROW((void)some_tokens.decode(std::string(1 << 24, 'A')), InvalidArgument);
    const Tokens narrow = tokens({key("k1")}, {.max_bytes = 100});
    EXPECT_THROW((void)narrow.encode(some()), InvalidArgument);
    EXPECT_THROW((void)narrow.decode(some_tokens.encode(some())), InvalidArgument);
}

TEST_F(TokenStrings, NeverHoldTheSecretOrShowIt) {
    try {
        (void)tokens().decode("AAAA");
        FAIL();
    } catch (const InvalidArgument& error) {
        EXPECT_EQ(std::string{error.what()}.find("secret of"), std::string::npos);
    }
}

TEST_F(TokenStrings, NeedUsableKeys) {
    EXPECT_THROW(tokens({}), InvalidArgument);
    EXPECT_THROW(tokens({{"k1", "short"}}), InvalidArgument);
    EXPECT_THROW(tokens({{"", std::string(32, 'x')}}), InvalidArgument);
    EXPECT_THROW(tokens({{std::string(33, 'k'), std::string(32, 'x')}}), InvalidArgument);
    EXPECT_THROW(tokens({key("k1"), key("k1")}), InvalidArgument);
}

TEST_F(TokenStrings, OfAnOwnerOfTheKeyMayStillNotHurt) {
    // What only a holder of the secret could sign: more positions than there are bytes.
    std::string body{"\x01\x02k1\x00", 5};
    body += "\xff\xff\xff\xff\x7f";  // far future
    body += "\x01" + std::string(32, 's') + "\xff\xff\xff\xff\x0f";
    const Hash mac = hmac_sha256(key("k1").secret, "recount/token/1" + body);
    body += mac.view();
    std::string text;  // base64url by another hand
    static constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : body) {
        bits = bits << 8 | static_cast<std::uint8_t>(c);
        for (count += 8; count >= 6; count -= 6) text += digits[bits >> (count - 6) & 63];
    }
    if (count > 0) text += digits[bits << (6 - count) & 63];
    try {
        (void)tokens().decode(text);
        FAIL();
    } catch (const InvalidArgument& error) {
        EXPECT_NE(std::string{error.what()}.find("malformed"), std::string::npos) << error.what();
    }
}

TEST_F(TokenStrings, LastAsLongAsCanBeSaid) {
    const Tokens lasting = tokens({key("k1")}, {.lifetime = std::chrono::seconds::max()});
    EXPECT_EQ(lasting.decode(lasting.encode(some())), some());
}

}  // namespace
