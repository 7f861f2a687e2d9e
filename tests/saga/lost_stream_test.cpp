#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <recount/core/error.hpp>
#include <recount/testing.hpp>

#include "orders.hpp"
#include "recount/saga.pb.h"
#include "watched_store.hpp"
#include "world_with_alarm.hpp"

namespace recount::saga_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

/// A saga whose stream an operator closes or erases, beside one that nobody touches.
class WithoutItsStream : public WorldWithAlarm {
protected:
    void erase(const StreamName& stream) {
        store_->erase(stream, Version{1}, store_->read_stream(stream).head);
    }
    static std::string phase_of_healthy(Service& service) {
        return service.sagas.status("fulfil", "healthy")->phase;
    }
    /// Open, and so listed in the cursor: an undo waits to be sent again.
    void leave_one_open(Service& service) {
        Weather::today().undo_refusals["o-1/a"] = 1;
        service.place(order("o-1", {part("a"), refused(part("b", {"a"}))}));
        ASSERT_EQ(service.sagas.catch_up().open, 1);
    }

    const StreamName stream_{"saga", "fulfil.o-1"};
    const Ordered healthy_ = order("healthy", {part("a"), part("c")});
};

TEST_F(WithoutItsStream, ASagaWhoseStreamIsClosedWhileItsStepsAreSentIsLeftToAPerson) {
    bool closed = false;
    WatchedStore watched{*store_, [&](int, WatchedStore::When when) {
                             if (closed || when != WatchedStore::When::before) return;
                             if (store_->read_stream(stream_).events.empty()) return;
                             closed = true;
                             static_cast<void>(store_->close_stream(stream_));
                         }};
    Service service{watched};
    service.place(order("o-1", {part("a"), part("b", {"a"})}));
    service.place(healthy_);
    const SagaProgress progress = service.sagas.catch_up();
    EXPECT_TRUE(closed);
    EXPECT_EQ(progress.completed, 1);
    EXPECT_EQ(progress.attention, 1);
    EXPECT_EQ(progress.open, 0);
    EXPECT_EQ(alarm(), 1);
    EXPECT_EQ(phase_of_healthy(service), "completed");
    ASSERT_EQ(service.sagas.list().size(), 1U);
    EXPECT_EQ(service.sagas.list()[0].id, "o-1");
    EXPECT_THAT(service.sagas.list()[0].attention, HasSubstr("closed"));
}

TEST_F(WithoutItsStream, ASagaWhoseStreamIsClosedWhileItWaitsRaisesAnAlarmThatOutlivesTheEngine) {
    {
        Service service{*store_};
        leave_one_open(service);
        static_cast<void>(store_->close_stream(stream_));
        world_.advance(10s);
        service.place(healthy_);
        EXPECT_EQ(service.sagas.catch_up().attention, 1);
        EXPECT_EQ(phase_of_healthy(service), "completed");
        EXPECT_EQ(alarm(), 1);
    }
    forget_alarm();
    Service service{*store_};
    const SagaProgress progress = service.sagas.catch_up();
    EXPECT_EQ(progress.attention, 0) << "an old one";
    EXPECT_EQ(progress.open, 0);
    EXPECT_EQ(alarm(), 1);
    ASSERT_EQ(service.sagas.list().size(), 1U);
    EXPECT_THAT(service.sagas.list()[0].attention, HasSubstr("closed"));
}

TEST_F(WithoutItsStream, ASagaWhoseStreamWasClosedWhileNoEngineRanIsLeftToAPerson) {
    {
        Service service{*store_};
        leave_one_open(service);
    }
    static_cast<void>(store_->close_stream(stream_));
    Service service{*store_};
    service.place(healthy_);
    EXPECT_EQ(service.sagas.catch_up().attention, 1);
    EXPECT_EQ(phase_of_healthy(service), "completed");
    EXPECT_EQ(service.sagas.list().size(), 1U);
}

TEST_F(WithoutItsStream, ASecondStartOfAnEndedSagaWithAClosedStreamIsHeardOf) {
    Service service{*store_};
    service.place("x", order("o-1", {part("a")}));
    EXPECT_EQ(service.sagas.catch_up().completed, 1);
    static_cast<void>(store_->close_stream(stream_));
    service.place("y", order("o-1", {part("a")}));
    EXPECT_EQ(service.sagas.catch_up().attention, 0) << "the same again is no news";
    service.place("z", order("o-1", {part("a"), part("b")}));
    service.place(healthy_);
    EXPECT_EQ(service.sagas.catch_up().attention, 1);
    EXPECT_EQ(alarm(), 1);
    EXPECT_EQ(phase_of_healthy(service), "completed");
    ASSERT_EQ(service.sagas.list().size(), 1U);
    EXPECT_THAT(service.sagas.list()[0].attention, HasSubstr("started again with other content"));
}

TEST_F(WithoutItsStream, AStartWhoseStreamWasClosedBeforeItBeganIsHeardOf) {
    static_cast<void>(store_->close_stream(stream_, {}, "never", Expected::any()));
    Service service{*store_};
    service.place(order("o-1", {part("a")}));
    service.place(healthy_);
    EXPECT_EQ(service.sagas.catch_up().attention, 1);
    EXPECT_EQ(phase_of_healthy(service), "completed");
    ASSERT_EQ(service.sagas.list().size(), 1U);
    EXPECT_THAT(service.sagas.list()[0].attention, HasSubstr("closed"));
}

TEST_F(WithoutItsStream, AnEndedSagaThatWasErasedNeedsNobody) {
    {
        Service service{*store_};
        leave_one_open(service);
        world_.advance(10s);
        EXPECT_EQ(service.sagas.catch_up().compensated, 1);
    }
    erase(stream_);
    Service service{*store_};
    service.place(healthy_);
    const SagaProgress progress = service.sagas.catch_up();
    EXPECT_EQ(progress.completed, 1);
    EXPECT_EQ(progress.attention, 0);
    EXPECT_EQ(alarm(), 0);
    EXPECT_THAT(service.sagas.list(), IsEmpty());
}

TEST_F(WithoutItsStream, AnOpenSagaThatWasErasedIsLeftToAPerson) {
    {
        Service service{*store_};
        leave_one_open(service);
    }
    erase(stream_);
    for (int engine = 0; engine < 2; ++engine) {
        forget_alarm();
        Service service{*store_};
        if (engine == 0) service.place(healthy_);
        EXPECT_EQ(service.sagas.catch_up().attention, engine == 0 ? 1 : 0);
        EXPECT_EQ(phase_of_healthy(service), "completed");
        EXPECT_EQ(alarm(), 1);
        ASSERT_EQ(service.sagas.list().size(), 1U);
        EXPECT_THAT(service.sagas.list()[0].attention, HasSubstr("erased"));
    }
}

/// Another kind of saga that the same events start.
struct Beside : Fulfil {
    static constexpr std::string_view name = "beside";
};

TEST_F(WithoutItsStream, TheAlarmGoesWhenAPersonHasDealtWithIt) {
    for (const bool closed : {true, false}) {
        {
            Service service{*store_};
            leave_one_open(service);
            EXPECT_EQ(service.sagas.resume("fulfil", "o-1", "too early")->code, "waits_for_nobody");
        }
        closed ? (void)store_->close_stream(stream_) : erase(stream_);
        { Service{*store_}.sagas.catch_up(); }
        EXPECT_EQ(alarm(), 1);
        Service service{*store_};  // knows of it from the cursor, and hears of both
        EXPECT_EQ(service.sagas.resume("fulfil", "o-1", "did the rest"), std::nullopt);
        EXPECT_EQ(service.sagas.catch_up().attention, 0);
        EXPECT_EQ(alarm(), 0);
        EXPECT_THAT(service.sagas.list(), IsEmpty());
        EXPECT_EQ(service.sagas.resume("fulfil", "o-1", "again")->code, "waits_for_nobody");

        Service later{*store_};
        EXPECT_EQ(later.sagas.catch_up().attention, 0);
        EXPECT_THAT(later.sagas.list(), IsEmpty());
        later.place("z", order("o-1", {part("c")}));
        EXPECT_EQ(later.sagas.catch_up().attention, 1) << "another alarm of the same saga";
        EXPECT_EQ(alarm(), 1);
        Service after_that{*store_};
        after_that.sagas.add<Beside>({.from_beginning = true});
        after_that.sagas.catch_up();
        EXPECT_EQ(alarm(), 1) << "what is read again for another kind means nothing";
        store_ = open_store("memory:", {.partitions = 1, .environment = &world_.environment()});
    }
}

TEST_F(WithoutItsStream, TheAlarmOfALongIdGoesToo) {
    const std::size_t longest = StreamName::max_bytes - std::string{"saga-fulfil."}.size();
    for (const std::size_t bytes : {longest - 5, longest - 4, longest}) {
        const std::string id(bytes, 'x');
        const StreamName stream{"saga", "fulfil." + id};
        {
            Service service{*store_};
            Weather::today().undo_refusals[id + "/a"] = 1;
            service.place("z", order(id, {part("a"), refused(part("b", {"a"}))}));
            ASSERT_EQ(service.sagas.catch_up().open, 1);
        }
        erase(stream);
        Service service{*store_};
        EXPECT_EQ(service.sagas.catch_up().attention, 1);
        EXPECT_EQ(service.sagas.resume("fulfil", id, "did the rest"), std::nullopt);
        service.sagas.catch_up();
        EXPECT_EQ(alarm(), 0);
        EXPECT_THAT(service.sagas.list(), IsEmpty());
        EXPECT_NE(service.sagas.resume("fulfil", id, "again"), std::nullopt);
        const bool fits = bytes == longest - 5;
        const auto alarms = store_->list_streams("sagaalarm", "", 10);
        ASSERT_EQ(alarms.size(), 1U);
        EXPECT_EQ(alarms[0].stream.id() == "fulfil." + id, fits);
        store_ = open_store("memory:", {.partitions = 1, .environment = &world_.environment()});
    }
}

TEST_F(WithoutItsStream, AnAlarmThatAnEarlierProgramLetGoIsUnderstood) {
    {
        Service service{*store_};
        leave_one_open(service);
    }
    erase(stream_);
    Service service{*store_};
    EXPECT_EQ(service.sagas.catch_up().attention, 1);
    Append append;  // it recorded no correlation
    append.metadata.command_id = "dealt with";
    append.writes.push_back({StreamName{"sagaalarm", "fulfil.o-1"},
                             Expected::any(),
                             {new_event(saga::v1::SagaResumed{})}});
    append.request = request_hash(append);
    static_cast<void>(store_->append(append));
    service.sagas.catch_up();
    EXPECT_EQ(alarm(), 0);
}

TEST_F(WithoutItsStream, ASecondStartOfAnErasedSagaIsHeardOf) {
    Service service{*store_};
    service.place("x", order("o-1", {part("a")}));
    EXPECT_EQ(service.sagas.catch_up().completed, 1);
    erase(stream_);
    service.place("z", order("o-1", {part("a"), part("b")}));
    service.place(healthy_);
    EXPECT_EQ(service.sagas.catch_up().attention, 1);
    EXPECT_EQ(phase_of_healthy(service), "completed");
    ASSERT_EQ(service.sagas.list().size(), 1U);
    EXPECT_THAT(service.sagas.list()[0].attention, HasSubstr("started again"));
}

/// A store that lets no stream be read, as after a right was taken away.
class Withdrawn : public WatchedStore {
public:
    explicit Withdrawn(EventStore& store) : WatchedStore(store, [](int, When) {}) {}
    std::int64_t visit_stream(const StreamName&, Version, std::size_t, const TakeEvent&) override {
        throw Mismatch("no stream of this store may be read");
    }
};

TEST_F(WithoutItsStream, NoSagaIsGivenUpForWhatConcernsTheWholeStore) {
    {
        Service service{*store_};
        leave_one_open(service);
    }
    world_.advance(10s);
    {
        Withdrawn withdrawn{*store_};
        Service service{withdrawn};
        EXPECT_THROW(service.sagas.catch_up(), Mismatch);
        EXPECT_EQ(alarm(), 0);
    }
    Service service{*store_};
    const SagaProgress progress = service.sagas.catch_up();
    EXPECT_EQ(progress.attention, 0);
    EXPECT_EQ(progress.open, 0);
    EXPECT_EQ(alarm(), 0);
    EXPECT_EQ(service.sagas.status("fulfil", "o-1")->phase, "compensated");
}

}  // namespace
}  // namespace recount::saga_test
