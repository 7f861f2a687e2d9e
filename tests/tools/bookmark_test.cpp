#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "outbox/child.hpp"
#include "published_store.hpp"
#include "support/eventually.hpp"
#include "support/temporary_folder.hpp"

namespace recount::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST_F(APublishedStore, IsAuditedOnWhereTheLastAuditEnded) {
    const TemporaryFolder folder;
    const std::string file = folder.file("bookmark");
    publish(40);
    EXPECT_EQ(audit({"--resume", file}).code, tools::ok);
    // Gone from the topic; only who begins at the beginning misses them.
    delete_records(topic, topic.log(), 0, 5);
    EXPECT_EQ(audit().code, tools::problem);
    EXPECT_EQ(audit({"--resume", file}).code, tools::ok);
    publish(20);
    const auto printed = audit({"--resume", file});
    EXPECT_EQ(printed.code, tools::ok);
    EXPECT_THAT(printed.out, HasSubstr("equal: 60 events"));
}

TEST_F(APublishedStore, IsAuditedAnewInTheTopicThatFollowsARestore) {
    const TemporaryFolder folder;
    const std::string file = folder.file("bookmark");
    publish(40);
    EXPECT_EQ(audit({"--resume", file}).code, tools::ok);
    declare_restored(url);
    store = open_store(url);
    publish(4);
    // What the bookmark's places would have passed over, is in the way of the proof.
    delete_records(topic, topic.log(1), 0, 5);
    EXPECT_EQ(audit({"--resume", file}).code, tools::problem);
}

TEST_F(APublishedStore, IsJudgedWhateverBecomesOfTheBookmark) {
    const std::string nowhere = "/nowhere/bookmark";
    publish(40);
    EXPECT_EQ(audit({"--resume", nowhere}).code, tools::unavailable);
    delete_records(topic, topic.log(), 0, 5);
    EXPECT_EQ(audit({"--resume", nowhere}).code, tools::problem);
}

TEST_F(APublishedStore, KeepsItsBookmarkWhileBrokersAreGone) {
    const TemporaryFolder folder;
    const std::string file = folder.file("bookmark");
    publish(40);
    EXPECT_EQ(audit({"--resume", file}).code, tools::ok);
    const std::string before = text_in(file);
    EXPECT_THAT(before, HasSubstr(to_string(store->heads()[1].hash)));
    topic.brokers = "127.0.0.1:9";
    const std::string out = folder.file("out");
    Child child{{"/bin/sh", "-c",
                 "exec " + audit_program() + " --follow --interval 0.1 --timeout 0.3 --resume '" +
                     file + "' > '" + out + "' 2>&1"}};
    EXPECT_TRUE(eventually([&] {
        return text_in(out).find("could not be told") != std::string::npos;
    })) << text_in(out);
    EXPECT_EQ(text_in(file), before);
    child.signal(SIGINT);
    EXPECT_EQ(child.wait(), tools::unavailable) << text_in(out);
    EXPECT_EQ(text_in(file), before);
}

TEST_F(APublishedStore, IsFollowedNoLongerWhenTheBookmarksFolderIsGone) {
    publish(40);
    const TemporaryFolder folder;
    const std::string place = folder.file("place");
    std::filesystem::create_directory(place);
    const std::string out = folder.file("out");
    const auto printed = [&] { return text_in(out); };
    Child child{{"/bin/sh", "-c",
                 "timeout 100 " + audit_program() + " --follow --interval 0.1 " + "--resume '" +
                     place + "/bookmark' > '" + out + "' 2>&1; echo code $? >> '" + out + "'"}};
    EXPECT_TRUE(eventually([&] { return std::filesystem::exists(place + "/bookmark"); }))
        << printed();
    // Again and again: it may be written just then.
    EXPECT_TRUE(eventually([&] {
        std::error_code ignored;
        std::filesystem::remove_all(place, ignored);
        return printed().find("code 2") != std::string::npos;
    })) << printed();
    EXPECT_THAT(printed(), HasSubstr("/bookmark could not be written"));
}

TEST_F(APublishedStore, KeepsItsBookmarkWhenAnotherCannotBeWritten) {
    const TemporaryFolder folder;
    const std::string file = folder.file("bookmark");
    publish(40);
    EXPECT_EQ(audit({"--resume", file}).code, tools::ok);
    const std::string before = text_in(file);
    EXPECT_THAT(before, HasSubstr(to_string(store->heads()[1].hash)));
    std::filesystem::create_directory(file + ".new");
    publish(20);
    const auto printed = audit({"--resume", file});
    EXPECT_NE(printed.code, tools::ok);
    EXPECT_THAT(printed.err, HasSubstr("could not be written"));
    EXPECT_EQ(text_in(file), before);
}

TEST_F(APublishedStore, IsNotAuditedOnFromAnothersBookmark) {
    const TemporaryFolder folder;
    const std::string file = folder.file("bookmark");
    publish(40);
    EXPECT_EQ(audit({"--resume", file}).code, tools::ok);
    const std::string text = text_in(file);
    std::ofstream{file} << text.substr(0, text.size() - 10);
    auto printed = audit({"--resume", file});
    EXPECT_EQ(printed.code, tools::bad_usage);
    EXPECT_THAT(printed.err, AllOf(HasSubstr("damaged"), HasSubstr("remove the file")));
    std::ofstream{file} << "a letter\n";
    printed = audit({"--resume", file});
    EXPECT_EQ(printed.code, tools::bad_usage);
    EXPECT_THAT(printed.err, AllOf(HasSubstr("not the bookmark"), HasSubstr(topic.name)));
}
}  // namespace
}  // namespace recount::test
