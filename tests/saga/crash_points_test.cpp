#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <recount/core/error.hpp>
#include <recount/testing.hpp>

#include "orders.hpp"
#include "watched_store.hpp"

namespace recount::saga_test {
namespace {

using When = WatchedStore::When;
using namespace std::chrono_literals;

/// One that completes, one that is refused half way, one whose undo is refused twice, one whose
/// steps have limits, one that is refused at once, and one that sends in several commits.
std::vector<Ordered> all_kinds() {
    std::vector<Ordered> orders;
    orders.push_back(order("good", {part("a"), part("b"), part("c", {"a", "b"})}));
    orders.push_back(order("bad", {part("a"), part("b", {"a"}), part("p/1", {"b"}),
                                   part("p/2", {"b"}), refused(part("z", {"p/*"}))}));
    orders.push_back(order("slow", {part("a"), without_undo(part("b", {"a"})), part("c", {"b"}),
                                    refused(part("d", {"c"}))}));
    orders.push_back(order("timed", {part("a"), part("b", {"a"}), part("c", {"b"})}));
    orders.back().mutable_parts(0)->set_within_ms(1000);
    orders.back().set_deadline_ms(60'000);
    orders.push_back(order("never", {refused(part("a"))}));
    orders.push_back(order("wide", {part("p/1"), part("p/2"), refused(part("p/3")), part("p/4"),
                                    part("p/5"), part("p/6")}));
    return orders;
}

const SagaEngineOptions small{.sagas_at_once = 4, .commands_per_commit = 4};

/// A fresh store in which the orders were placed and nothing else has happened.
struct Scene {
    Scene() {
        Weather::today() = {};
        Weather::today().undo_refusals["slow/c"] = 2;
        Service service{*store};
        for (const Ordered& order : orders) service.place(order);
    }

    /// A new process comes up and works until nothing is left to do.
    void finish() {
        for (int i = 0; i < 100; ++i) {
            Service service{*store, small};
            if (service.sagas.catch_up().open == 0) return;
            world.advance(1s);
        }
        ADD_FAILURE() << "it never ends";
    }

    void work(WatchedStore& watched) {
        Service service{watched, small};
        for (int i = 0; i < 100; ++i) {
            if (service.sagas.catch_up().open == 0) return;
            world.advance(1s);
        }
    }

    test::ManualEnvironment world;
    std::vector<Ordered> orders = all_kinds();
    std::unique_ptr<EventStore> store =
        open_store("memory:", {.partitions = 1, .environment = &world.environment()});
};

int calls_without_trouble() {
    Scene scene;
    WatchedStore watched{*scene.store, [](int, When) {}};
    scene.work(watched);
    EXPECT_THAT(audit(*scene.store, scene.orders), testing::IsEmpty());
    return watched.calls();
}

/// (before or after the call, time that passes before the process is back)
using CrashParam = std::tuple<When, int>;
class ACrash : public testing::TestWithParam<CrashParam> {};
INSTANTIATE_TEST_SUITE_P(Anywhere, ACrash,
                         testing::Combine(testing::Values(When::before, When::after),
                                          testing::Values(0, 3600)));

TEST_P(ACrash, EndsTheSameAfterARestart) {
    const auto [moment, seconds] = GetParam();
    const int calls = calls_without_trouble();
    ASSERT_GT(calls, 40);
    for (int at = 1; at <= calls; ++at) {
        Scene scene;
        bool dead = false;
        WatchedStore watched{*scene.store, [&, when = moment](int call, When now) {
                                 dead = dead || (call == at && now == when);
                                 if (dead) throw Crash{};
                             }};
        try {
            scene.work(watched);
        } catch (const Crash&) {
        }
        ASSERT_TRUE(dead) << "call " << at;
        scene.world.advance(std::chrono::seconds{seconds});
        scene.finish();
        ASSERT_THAT(audit(*scene.store, scene.orders), testing::IsEmpty())
            << "crash at call " << at;
    }
}

TEST_P(ACrash, EndsTheSameAfterASecondOne) {
    const auto [moment, seconds] = GetParam();
    const int calls = calls_without_trouble();
    for (int at = 3; at <= calls; at += 7) {
        Scene scene;
        for (int back = 0; back < 4; ++back) {
            bool dead = false;
            WatchedStore watched{*scene.store, [&, when = moment](int call, When now) {
                                     dead = dead || (call == at / (back + 1) && now == when);
                                     if (dead) throw Crash{};
                                 }};
            try {
                scene.work(watched);
            } catch (const Crash&) {
            }
            scene.world.advance(std::chrono::seconds{seconds});
        }
        scene.finish();
        ASSERT_THAT(audit(*scene.store, scene.orders), testing::IsEmpty())
            << "crash at call " << at;
    }
}

class AnErrorThatMayPass : public testing::TestWithParam<When> {};
INSTANTIATE_TEST_SUITE_P(Anywhere, AnErrorThatMayPass, testing::Values(When::before, When::after));

TEST_P(AnErrorThatMayPass, ChangesNothing) {
    const int calls = calls_without_trouble();
    for (int at = 1; at <= calls; ++at) {
        Scene scene;
        WatchedStore watched{*scene.store, [&](int call, When now) {
                                 if (call == at && now == GetParam())
                                     throw OutcomeUnknown("the connection is gone");
                             }};
        std::unique_ptr<Service> service;
        bool done = false;
        for (int i = 0; i < 50 && !done; ++i) {
            try {
                if (!service) service = std::make_unique<Service>(watched, small);
                done = service->sagas.catch_up().open == 0;
            } catch (const OutcomeUnknown&) {
            }
            scene.world.advance(1s);
        }
        ASSERT_TRUE(done) << "the same engine does not get over an error at call " << at;
        ASSERT_THAT(audit(*scene.store, scene.orders), testing::IsEmpty())
            << "error at call " << at;
    }
}

/// (before or after the call, time that passes first)
using OtherParam = std::tuple<When, int>;
class AnotherEngine : public testing::TestWithParam<OtherParam> {};
INSTANTIATE_TEST_SUITE_P(Anywhere, AnotherEngine,
                         testing::Combine(testing::Values(When::before, When::after),
                                          testing::Values(0, 3600)));

/// At each call of the first engine's, a second one does everything that can be done; then the
/// first goes on with what it knew.
TEST_P(AnotherEngine, DoesNoHarm) {
    const auto [moment, seconds] = GetParam();
    const int calls = calls_without_trouble();
    for (int at = 1; at <= calls; ++at) {
        Scene scene;
        WatchedStore watched{*scene.store, [&, when = moment, pause = seconds](int call, When now) {
                                 if (call != at || now != when) return;
                                 scene.world.advance(std::chrono::seconds{pause});
                                 Service other{*scene.store, small};
                                 other.sagas.catch_up();
                             }};
        scene.work(watched);
        scene.finish();
        ASSERT_THAT(audit(*scene.store, scene.orders), testing::IsEmpty()) << "at call " << at;
    }
}

}  // namespace
}  // namespace recount::saga_test
