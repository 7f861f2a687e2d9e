#pragma once

#include <gtest/gtest.h>

#include <recount/core/error.hpp>

#include <string>

#include "fake_log.hpp"
#include "world.hpp"

namespace recount::test::projections {

/// What a topic, or a store that was tampered with, may say.
class AStrangeLog : public testing::Test {
protected:
    AStrangeLog() {
        for (int count = 0; count < 6; ++count) log.append(added("a"));
    }
    TemporaryFolder folder;
    FakeLog log;
    ProjectorOptions options{.views = "sqlite:" + folder.file("x.db"),
                             .page_events = 2,
                             .patience = std::chrono::milliseconds{1}};
    std::int64_t items() {
        const auto read = View<Carts>{log, {.views = options.views}}.get("1");
        return read ? read->items() : 0;
    }
    bool stale() { return View<Carts>{log, {.views = options.views}}.get("1").stale; }
    void expect_stops(Projector<Carts>& projector, const std::string& word) {
        try {
            projector.catch_up();
            FAIL() << "it went on";
        } catch (const Divergence& error) {
            EXPECT_NE(std::string{error.what()}.find(word), std::string::npos) << error.what();
        }
        EXPECT_EQ(projector.status()[0].state, ViewStatus::State::stopped);
        EXPECT_NE(projector.status()[0].reason.find(word), std::string::npos);
        EXPECT_TRUE(stale());
    }
};

}  // namespace recount::test::projections
