#include <recount/core/error.hpp>
#include <recount/eventstore.hpp>

#include <gtest/gtest.h>

#include "eventstore/postgres/appends.hpp"
#include "eventstore/postgres/own_schema.hpp"
#include "support/tcp_proxy.hpp"

#include <iostream>

namespace recount::test {
namespace {

using Harm = TcpProxy::Harm;
using Kind = AppendResult::Kind;

/// Appends that are sent together, for the n-th time. The store wrote cart-known before, so its
/// head need not be read.
struct Shape {
    std::string name;
    std::vector<Append> (*make)(int n);
};

Append checked(Append append, const std::string& stream, Expected expected) {
    append.checks.push_back({StreamName::parse(stream), expected});
    append.request = request_hash(append);
    return append;
}

std::vector<Append> to_a_known_stream(int n) {
    return {append_to("cart-known", Expected::exactly(Version{n}))};
}

std::vector<Append> to_several_streams(int n) {
    return {checked(append_of({events_for("cart-known", Expected::exactly(Version{n}), 1),
                               events_for("cart-" + std::to_string(n), Expected::no_stream(), 3),
                               events_for("order-" + std::to_string(n))}),
                    "cart-none", Expected::no_stream())};
}

/// Of which one does not hold.
std::vector<Append> in_a_group(int n) {
    return {append_to("cart-known", Expected::exactly(Version{n})),
            append_to("cart-known", Expected::exactly(Version{n})),
            append_to("cart-" + std::to_string(n), Expected::no_stream(), 2)};
}

using CrashPoint = std::tuple<Shape, Harm>;

/// The first statement of an append comes to harm, the second, and so on, until the append gets by.
class AppendHitAtItsNthStatement : public testing::TestWithParam<CrashPoint> {
protected:
    std::unique_ptr<EventStore> store_behind_proxy(Duration timeout) {
        auto store = open_store(proxy_.url_through(schema_.url()), {.timeout = timeout});
        static_cast<void>(store->append(append_to("cart-known")));
        return store;
    }

    [[nodiscard]] std::vector<Append> appends(int n) const {
        return std::get<Shape>(GetParam()).make(n);
    }

    [[nodiscard]] bool conflicts(std::size_t i) const { return i == 1 && appends(1).size() > 1; }

    void arm(int n) {
        before_ = proxy_.harmed();
        proxy_.harm_nth(n, std::get<Harm>(GetParam()));
    }

    [[nodiscard]] bool struck() const { return proxy_.harmed() > before_; }

    void expect_once(const std::vector<Append>& group) {
        for (std::size_t i = 0; i < group.size(); ++i) {
            const auto outcome = straight_->find_outcome(group[i].metadata.command_id);
            ASSERT_EQ(outcome.has_value(), !conflicts(i));
            if (!outcome) continue;
            for (std::size_t at = 0; at < outcome->streams.size(); ++at) {
                const StreamAppended& stream = outcome->streams[at];
                EXPECT_EQ(version_of(*straight_, stream.stream.full()), stream.last.value);
                EXPECT_EQ(stream.last.value - stream.first.value + 1,
                          static_cast<std::int64_t>(group[i].writes[at].events.size()));
            }
        }
        straight_->verify_chain();
    }

    static void note_end(int statements) {
        std::cout << statements << " statements came to harm, one after the other\n";
        EXPECT_GE(statements, 1);
    }

    OwnSchema schema_;
    TcpProxy proxy_{port_of(postgres_url())};
    std::unique_ptr<EventStore> straight_ = open_store(schema_.url());
    int before_ = 0;
};

TEST_P(AppendHitAtItsNthStatement, HappensOnceAndSaysSo) {
    const auto store = store_behind_proxy(std::chrono::seconds{20});
    int n = 1;
    for (bool harmed = true; harmed; ++n) {
        SCOPED_TRACE("statement " + std::to_string(n));
        const std::vector<Append> group = appends(n);
        arm(n);
        const auto results = store->append(group);
        harmed = struck();
        for (std::size_t i = 0; i < group.size(); ++i) {
            EXPECT_EQ(results[i].kind, conflicts(i) ? Kind::conflict : Kind::committed);
        }
        expect_once(group);
        ASSERT_FALSE(HasFailure());
    }
    note_end(n - 2);
}

TEST_P(AppendHitAtItsNthStatement, IsNeverSaidToHaveFailedWhileItMayHaveHappened) {
    const auto store = store_behind_proxy(std::chrono::milliseconds{500});
    int n = 1;
    for (bool harmed = true; harmed; ++n) {
        SCOPED_TRACE("statement " + std::to_string(n));
        const std::vector<Append> group = appends(n);
        const std::string& first = group.front().metadata.command_id;
        arm(n);
        proxy_.refuse(true);
        bool failed = false;
        try {
            store->append(group);
        } catch (const OutcomeUnknown&) {
        } catch (const Error& error) {
            EXPECT_TRUE(error.retryable()) << error.what();
            failed = true;
        }
        harmed = struck();
        const bool happened = straight_->find_outcome(first).has_value();
        EXPECT_FALSE(failed && happened);
        proxy_.refuse(false);
        const auto results = store->append(group);
        EXPECT_EQ(results.front().kind, happened ? Kind::repeated : Kind::committed);
        expect_once(group);
        ASSERT_FALSE(HasFailure());
    }
    note_end(n - 2);
}

std::string crash_point_name(const testing::TestParamInfo<CrashPoint>& tested) {
    const auto& [shape, harm] = tested.param;
    return shape.name + (harm == Harm::cut_before ? "Before" : "AfterItsEffect");
}

void PrintTo(const CrashPoint& point, std::ostream* out) { *out << std::get<Shape>(point).name; }

INSTANTIATE_TEST_SUITE_P(Connections, AppendHitAtItsNthStatement,
                         testing::Combine(testing::Values(Shape{"OneStream", to_a_known_stream},
                                                          Shape{"SeveralStreams",
                                                                to_several_streams},
                                                          Shape{"Group", in_a_group}),
                                          testing::Values(Harm::cut_before, Harm::cut_reply)),
                         crash_point_name);

}  // namespace
}  // namespace recount::test
