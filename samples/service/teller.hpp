#pragma once

#include <recount/eventstore.hpp>

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "articles.hpp"

namespace articles {

/// Does something outside for each published article, at least once: its place in the log is kept
/// behind the deed, in a database of its own. One thread; of several processes one may run it.
class Teller {
public:
    /// `id` is the event's: a repetition has the same. What it throws is tried again a second
    /// later.
    using Tell = std::function<void(const std::string& id, const Published& article)>;

    /// `place` is the URL of its database, made when it is not there. Throws Mismatch when the
    /// store was restored to before its place, and what store and database throw.
    Teller(recount::EventStore& store, const std::string& place, Tell tell);

    /// Until asked to stop, or until an error of the log that does not pass: returns which.
    std::string run(std::stop_token stop);

private:
    void go_through(recount::Partition partition, const std::stop_token& stop);
    void keep(const recount::Position& position);

    recount::EventStore& store_;
    std::unique_ptr<recount::Database> database_;
    Tell tell_;
    recount::Positions done_;
};

}  // namespace articles
