#include <recount/core/error.hpp>
#include <recount/core/ids.hpp>
#include <recount/eventstore.hpp>
#include <recount/outbox.hpp>

#include <gmock/gmock.h>
#include <google/protobuf/wrappers.pb.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <sstream>

#include "eventstore/postgres/appends.hpp"
#include "eventstore/postgres/own_schema.hpp"
#include "outbox/kit.hpp"
#include "support/moved_clock.hpp"
#include "support/tcp_proxy.hpp"
#include "support/temporary_folder.hpp"

namespace recount::test {
namespace {

using google::protobuf::StringValue;
using testing::HasSubstr;
using testing::Not;

const std::string payload_canary = "canary-in-the-payload";
const std::string header_canary = "canary-in-a-header";
const std::string password_canary = "canary-of-the-database";
const std::string sasl_canary = "canary-of-the-broker";

const std::string canary_in_hex = "63616e617279";

/// A state whose events are text.
struct Note {
    static constexpr std::string_view category = "note";
    using Event = Events<StringValue>;
    std::string text;
};

Note evolve(Note note, const StringValue& event) {
    note.text += event.value();
    return note;
}

/// Everything that is logged at the lowest level, printed, and thrown.
class WithCanaries : public testing::Test {
protected:
    WithCanaries() {
        testing::internal::CaptureStderr();
        testing::internal::CaptureStdout();
        spdlog::set_default_logger(std::make_shared<spdlog::logger>(
            "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log_)));
        spdlog::set_level(spdlog::level::trace);
    }

    ~WithCanaries() override {
        spdlog::set_default_logger(logger_);
        const std::string printed =
            testing::internal::GetCapturedStderr() + testing::internal::GetCapturedStdout();
        for (const std::string& canary : {payload_canary, header_canary, password_canary,
                                          sasl_canary, std::string{"canary"}, canary_in_hex}) {
            EXPECT_THAT(log_.str(), Not(HasSubstr(canary)));
            EXPECT_THAT(thrown_, Not(HasSubstr(canary)));
            EXPECT_THAT(printed, Not(HasSubstr(canary)));
            EXPECT_THAT(Environment::system().metrics.prometheus(), Not(HasSubstr(canary)));
        }
    }

    /// Its message is kept; true when it threw.
    template <class Do>
    bool throws(const Do& run) {
        try {
            run();
            return false;
        } catch (const std::exception& error) {
            thrown_ += std::string{error.what()} + "\n";
            return true;
        }
    }

    static Append note(const std::string& id, const std::string& text = payload_canary) {
        StringValue value;
        value.set_value(text);
        Append append;
        append.metadata.command_id = id;
        append.metadata.headers["who"] = header_canary;
        append.writes.push_back({StreamName::parse("note-1"), Expected::any(), {new_event(value)}});
        append.request = request_hash(append);
        return append;
    }

    void expect_throws(const std::function<void()>& run) { EXPECT_TRUE(throws(run)); }

    /// Verdicts of every kind, and what breaks a limit or cannot be read.
    void use(EventStore& store) {
        static_cast<void>(store.append(note("first")));
        static_cast<void>(store.append(note("first")));
        expect_throws(
            [&] { static_cast<void>(store.append(note("first", payload_canary + "!"))); });
        Append late = note("late");
        late.writes.front().expected = Expected::exactly({7});
        late.missed_events = 10;
        EXPECT_FALSE(store.append(late).conflict.missed.empty());
        EXPECT_THAT(log_.str(), HasSubstr("conflict store="));
        EXPECT_THAT(log_.str(), HasSubstr("command_id=\"late\" stream=\"note-1\" version=1"));
        EXPECT_THAT(log_.str(), HasSubstr("position="));

        store.maintain({.keep_outcomes = std::chrono::hours{1}});
        MovedClock clock;
        clock.move(-std::chrono::hours{2});
        expect_throws([&] {
            static_cast<void>(store.append(note(to_string(new_uuid7(clock.environment())))));
        });
        refuse(store);
        misread(store);
    }

    void refuse(EventStore& store) {
        Append broken = note("broken");
        broken.metadata.headers["line"] = header_canary + "\n";
        expect_throws([&] { static_cast<void>(store.append(broken)); });
        Append huge = note("huge");
        huge.writes.front().events.front().payload += std::string(2 << 20, 'x');
        expect_throws([&] { static_cast<void>(store.append(huge)); });
    }

    void misread(EventStore& store) {
        for (const std::string& bytes :
             {"\x0a\x7f" + payload_canary,
              std::string{"\x0a\x16\xff"} + payload_canary}) {  // cut off, not UTF-8
            Append append = note("bytes " + std::to_string(bytes[1]));
            append.writes.front().stream = StreamName::parse("note-" + std::to_string(bytes[1]));
            append.writes.front().events.front().payload = bytes;
            append.request = request_hash(append);
            static_cast<void>(store.append(append));
            Repository<Note> notes{store};
            expect_throws([&] { notes.load(std::to_string(bytes[1])); });
        }
    }

    /// With the first event's payload changed behind its back.
    void tamper(const std::string& url) {
        const auto database = Database::open(url);
        auto transaction = database->begin(SqlMode::write);
        EXPECT_GT(transaction->exec("update event set payload = $1 where position = 1",
                                    Bytes{payload_canary}),
                  0);
        transaction->commit();
        const auto store = open_store(url);
        expect_throws([&] { store->verify_chain(); });
        expect_throws([&] { store->read_stream(StreamName::parse("note-1")); });
    }

    std::ostringstream log_;
    std::string thrown_;
    std::shared_ptr<spdlog::logger> logger_ = spdlog::default_logger();
};

TEST_F(WithCanaries, AStoreInMemoryShowsNone) { use(*open_store("memory:")); }

TEST_F(WithCanaries, AStoreInAFileShowsNone) {
    const TemporaryFolder folder;
    const std::string url = "sqlite:" + folder.file("store.db");
    {
        const auto store = open_store(url);
        use(*store);
        expect_throws([&] { open_store(url); });
        const auto database = Database::open(url);
        const auto writing = database->begin(SqlMode::write);
        writing->script("drop table event");
        writing->commit();
        expect_throws([&] { static_cast<void>(store->append(note("no table"))); });
        EXPECT_THAT(log_.str(), HasSubstr("append failed store="));
    }
    std::filesystem::remove_all(folder.path());
    std::filesystem::create_directory(folder.path());
    static_cast<void>(open_store(url)->append(note("again")));
    tamper(url);
}

TEST_F(WithCanaries, AStoreOnPostgresqlShowsNone) {
    const OwnSchema schema;
    TcpProxy proxy{port_of(postgres_url())};
    const std::string url = proxy.url_through(schema.url());
    const auto store = open_store(url, {.timeout = std::chrono::milliseconds{300}});
    use(*store);
    proxy.harm("stream_moved", TcpProxy::Harm::cut_reply);
    static_cast<void>(store->append(note("cut")));
    proxy.harm("stream_moved", TcpProxy::Harm::cut_reply);
    proxy.refuse(true);
    expect_throws([&] { static_cast<void>(store->append(note("unknown"))); });
    expect_throws([&] { static_cast<void>(store->append(note("unreachable"))); });
    EXPECT_THAT(log_.str(), HasSubstr("append failed store="));
    proxy.refuse(false);
    tamper(schema.url());
    {
        const auto database = Database::open(schema.url());
        const auto writing = database->begin(SqlMode::write);
        writing->script("alter table event add check (version < 0) not valid");
        writing->commit();
    }
    // The server quotes the row that it refuses.
    expect_throws([&] { static_cast<void>(store->append(note("refused by the server"))); });

    std::string wrong = schema.url();
    const auto colon = wrong.find(':', wrong.find("//"));
    wrong.replace(colon + 1, wrong.find('@') - colon - 1, password_canary);
    expect_throws([&] { open_store(wrong); });
    expect_throws([&] { open_store(wrong + "&bogus=1"); });
    wrong.replace(wrong.rfind(':') + 1, wrong.find('/', wrong.rfind(':')) - wrong.rfind(':') - 1,
                  "1");
    expect_throws([&] { open_store(wrong); });
}

TEST_F(WithCanaries, ATopicShowsNone) {
    const auto store = open_store("memory:", {.partitions = 2});
    KafkaTopic topic = own_topic_for(*store);
    static_cast<void>(store->append(note("first")));
    topic.properties["debug"] = "all";
    Relay{*store, {.topic = topic}}.catch_up();
    KafkaLog{{.topic = topic}}.read(Partition{0}, 0);

    topic.properties["security.protocol"] = "sasl_plaintext";
    topic.properties["sasl.mechanisms"] = "PLAIN";
    topic.properties["sasl.username"] = "somebody";
    topic.properties["sasl.password"] = sasl_canary;
    const Duration soon = std::chrono::seconds{1};
    expect_throws([&] { Relay{*store, {.topic = topic, .broker_timeout = soon}}.catch_up(); });
    expect_throws([&] { KafkaLog{{.topic = topic, .broker_timeout = soon}}; });
    EXPECT_THAT(log_.str(), HasSubstr("kafka SASL"));
    topic.properties["sasl.passwort"] = sasl_canary;
    expect_throws([&] { KafkaLog{{.topic = topic, .broker_timeout = soon}}; });
    topic.properties.erase("sasl.passwort");
    topic.properties["sasl.mechanisms"] = "NO-SUCH";
    expect_throws([&] { KafkaLog{{.topic = topic, .broker_timeout = soon}}; });
}

}  // namespace
}  // namespace recount::test
