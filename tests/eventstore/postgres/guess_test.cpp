#include <recount/core/error.hpp>
#include <recount/eventstore.hpp>

#include <gtest/gtest.h>

#include "eventstore/postgres/appends.hpp"
#include "eventstore/postgres/own_schema.hpp"

#include <array>
#include <cstdint>
#include <utility>

namespace recount::test {
namespace {

using Kind = AppendResult::Kind;

constexpr Partition place{3};

enum class By : std::uint8_t { a_single_append, a_group, a_single_append_behind_others };

/// What a process remembers of a partition, and what became of it in the database since: the
/// statement that writes must compare. One is for a single append, another for a group, a third for
/// a single append where others write, which the server puts behind theirs.
class AGuess : public testing::TestWithParam<By> {
protected:
    AGuess() : theirs_(open_store(schema_.url())), ours_(open_store(schema_.url())) {}

    /// An append by the process whose memory is tested, alone or in a group.
    AppendResult put(const Append& append) {
        if (GetParam() == By::a_single_append_behind_others) meet_others();
        if (GetParam() != By::a_group) return ours_->append(std::span{&append, 1}).front();
        const std::array group{append, append_to(neighbour_)};
        const auto results = ours_->append(group);
        EXPECT_EQ(results.back().kind, Kind::committed) << "it had nothing to do with the other";
        return results.front();
    }
    /// The process finds that another writes to the partition, once.
    void meet_others() {
        if (std::exchange(met_, true)) return;
        learn_end();
        static_cast<void>(theirs_->append(append_to(neighbour_)));
        learn_end();
    }
    /// Now it knows the partition's end, but not what other streams hold.
    void learn_end() { static_cast<void>(ours_->append(append_to(neighbour_))); }

    OwnSchema schema_;
    std::unique_ptr<EventStore> theirs_, ours_;
    const std::string stream_ = stream_in(place);
    const std::string neighbour_ = stream_in(place, 16, stream_);
    bool met_ = false;
};

TEST_P(AGuess, OfTheEndIsComparedByItsHash) {
    static_cast<void>(put(append_to(stream_)));
    // As after a restore: the same position, another history.
    schema_.change("update partition set hash = repeat('x', 32)::bytea where partition = 3");
    EXPECT_THROW(static_cast<void>(put(append_to(stream_, Expected::exactly(Version{1})))),
                 Divergence);
    EXPECT_EQ(version_of(*theirs_, stream_), 1);
}

TEST_P(AGuess, OfTheIncarnationIsCompared) {
    static_cast<void>(put(append_to(stream_)));
    schema_.change("update partition set incarnation = 2");
    EXPECT_THROW(static_cast<void>(put(append_to(stream_, Expected::exactly(Version{1})))),
                 Mismatch);
    EXPECT_EQ(version_of(*theirs_, stream_), 1);
}

TEST_P(AGuess, OfAVersionIsCompared) {
    static_cast<void>(theirs_->append(append_to(stream_)));
    learn_end();
    const auto result = put(append_to(stream_, Expected::exactly(Version{5})));
    ASSERT_EQ(result.kind, Kind::conflict);
    EXPECT_EQ(result.conflict.failed.front().actual, Version{1});
    EXPECT_EQ(put(append_to(stream_, Expected::no_stream())).kind, Kind::conflict);
    ours_->verify_chain();
}

TEST_P(AGuess, ThatAStreamIsOpenIsCompared) {
    static_cast<void>(theirs_->append(append_to(stream_)));
    static_cast<void>(theirs_->close_stream(StreamName::parse(stream_), {.command_id = "theirs"}));
    learn_end();
    EXPECT_EQ(put(append_to(stream_, Expected::exactly(Version{2}))).kind, Kind::closed);
    EXPECT_EQ(version_of(*theirs_, stream_), 2);
}

INSTANTIATE_TEST_SUITE_P(By, AGuess,
                         testing::Values(By::a_single_append, By::a_group,
                                         By::a_single_append_behind_others),
                         [](const auto& each) {
                             if (each.param == By::a_group) return "AGroup";
                             return each.param == By::a_single_append ? "ASingleAppend"
                                                                      : "ASingleAppendBehindOthers";
                         });

}  // namespace
}  // namespace recount::test
