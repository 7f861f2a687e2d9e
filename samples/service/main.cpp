// A service with all that one can have, in one process: commands, a view, a saga, a reaction with
// effects outside, and on demand the log on Kafka.

#include <recount/core.hpp>
#include <recount/eventstore.hpp>
#include <recount/outbox.hpp>
#include <recount/projections.hpp>
#include <recount/saga.hpp>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <optional>
#include <sstream>
#include <string>
#include <thread>

#include "articles.hpp"
#include "publish.hpp"
#include "requests.hpp"
#include "teller.hpp"

namespace articles {
namespace {

using namespace std::chrono_literals;

void say(const std::string& line) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
}

// [logs]
void route_logs() {
    auto logger = spdlog::stderr_logger_mt("service");
    logger->set_level(spdlog::level::warn);
    spdlog::set_default_logger(std::move(logger));
}
// [logs]

// [metrics]
/// What `GET /metrics` answers, as text/plain; version=0.0.4.
std::string metrics() { return recount::Environment::system().metrics.prometheus(); }
// [metrics]

/// What the handlers of requests work with.
struct Parts {
    recount::EventStore& store;
    recount::Repository<Article>& articles;
    recount::Repository<Feed>& feeds;
    recount::View<ArticleList>& list;
};

/// "publish ID SLUG TITLE", "retitle ID TITLE", "feed" or "metrics".
std::string answer(const Parts& parts, const std::string& request) {
    std::istringstream words{request};
    std::string verb, id, slug, title;
    words >> verb;
    if (verb == "metrics") return metrics();
    if (verb == "feed") return std::to_string(parts.feeds.load("main").state.articles) + " in feed";
    words >> id;
    if (verb == "publish") words >> slug;
    std::getline(words >> std::ws, title);
    recount::Session session;
    recount::Outcome outcome;
    if (verb == "publish") {
        Publish publishing;
        publishing.set_slug(slug);
        publishing.set_title(title);
        outcome = publish(parts.store, id, publishing, "publish/" + id + "/" + slug, session);
    } else {
        Retitle retitle;
        retitle.set_title(title);
        outcome = parts.articles.handle(id, retitle, {.session = &session});
    }
    if (!outcome) return "refused: " + outcome.rejection().code;
    const auto row = parts.list.get(id, recount::session(session).wait_for(5s));
    return id + ": /" + row->slug() + " " + row->title();
}

// [service]
int serve(const std::string& url, const std::string& place, const std::string& brokers) {
    // Blocked before there is another thread, so that none of them is interrupted.
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ending, nullptr);

    // What others refer to comes first, for what is declared first is destroyed last.
    const auto store = recount::open_store(url);
    recount::Repository<Article> articles{*store};
    recount::Repository<Feed> feeds{*store};
    recount::View<ArticleList> list{*store};
    recount::Projector<ArticleList> projector{*store};
    recount::SagaEngine sagas{*store};
    sagas.add<Announcement>({.from_beginning = true});
    sagas.deliver<AddToFeed>(feeds, [](const AddToFeed&) { return std::string{"main"}; });
    Teller teller{*store, place, [](const std::string& id, const Published& article) {
                      say("told of " + article.slug() + " as " + id);
                  }};
    std::optional<recount::Relay> relay;
    if (!brokers.empty()) {
        relay.emplace(*store,
                      recount::RelayOptions{.topic = {.brokers = brokers, .name = "articles"}});
    }

    // A part that ends by itself met an error that does not pass: the service ends, and whoever
    // supervises it starts it again or calls a person.
    std::atomic<bool> failed = false;
    const auto ended = [&failed](const std::stop_token& stop, const std::string& why) {
        if (stop.stop_requested()) return;
        spdlog::critical("the service ends: {}", why);
        failed = true;
        kill(getpid(), SIGTERM);
    };

    // Threads come last: each ends, and is waited for, before anything that it uses goes. The last
    // one goes first, so requests end before sagas, and views go on until all others have ended.
    std::jthread projecting{[&](std::stop_token stop) { ended(stop, projector.run(stop).reason); }};
    std::jthread relaying;
    if (relay) {
        relaying = std::jthread{[&](std::stop_token stop) { ended(stop, relay->run(stop)); }};
    }
    std::jthread telling{[&](std::stop_token stop) { ended(stop, teller.run(stop)); }};
    std::jthread coordinating{[&](std::stop_token stop) { ended(stop, sagas.run(stop).reason); }};
    std::jthread taking{[&](std::stop_token stop) {
        take_requests(stop, [&](const std::string& request) {
            try {
                say(answer({*store, articles, feeds, list}, request));
            } catch (const std::exception& error) {
                say(std::string{"failed: "} + error.what());
            }
        });
    }};

    int signal = 0;
    sigwait(&ending, &signal);
    return failed ? 1 : 0;
}
// [service]

}  // namespace
}  // namespace articles

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: service STORE_URL PLACE_URL [BROKERS]\n");
        return 2;
    }
    try {
        articles::route_logs();
        return articles::serve(argv[1], argv[2], argc > 3 ? argv[3] : "");
    } catch (const std::exception& error) {
        std::fprintf(stderr, "service: %s\n", error.what());
        return 1;
    }
}
