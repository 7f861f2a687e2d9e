#include "place.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

#include <recount/core/error.hpp>

namespace recount::projections {

DatabasePool::DatabasePool(std::string url, DatabaseOptions options, OpenDatabase open,
                           bool only_one)
    : url_(std::move(url)), options_(options), open_(std::move(open)), only_one_(only_one) {}

DatabasePool::Lease::Lease(DatabasePool& pool, std::unique_ptr<Database> own)
    : pool_(pool), own_(std::move(own)), database_(own_.get()) {}

DatabasePool::Lease::Lease(DatabasePool& pool, std::unique_lock<std::mutex> lock)
    : pool_(pool), lock_(std::move(lock)), database_(pool.one_.get()) {}

DatabasePool::Lease::~Lease() {
    if (!own_) return;
    const std::scoped_lock lock{pool_.mutex_};
    if (pool_.idle_.size() < max_idle) pool_.idle_.push_back(std::move(own_));
}

DatabasePool::Lease DatabasePool::take() {
    std::unique_lock lock{mutex_};
    if (only_one_) {
        if (!one_) one_ = open_(url_, options_);
        return Lease{*this, std::move(lock)};
    }
    if (!idle_.empty()) {
        std::unique_ptr<Database> database = std::move(idle_.back());
        idle_.pop_back();
        return Lease{*this, std::move(database)};
    }
    lock.unlock();
    return Lease{*this, open_(url_, options_)};
}

namespace {

DatabaseOptions options_for(Place::Access access, Duration timeout) {
    DatabaseOptions options;
    options.create = access == Place::Access::write;
    options.read_only = access == Place::Access::read;
    options.durable = false;  // a view that lost its tail lost its checkpoint's tail with it
    options.timeout = timeout;
    // A transaction may fold as long as it may wait for a statement.
    options.idle = std::max(options.idle, timeout);
    return options;
}

/// Files or schemas.
class StoredPlace : public Place {
public:
    StoredPlace(PlaceNames names, std::string key, OpenDatabase open, Duration timeout)
        : Place(std::move(names), std::move(key)), open_(std::move(open)), timeout_(timeout) {}

    std::shared_ptr<DatabasePool> catalogue(Access access) override {
        if (access == Access::read && !there(names().catalogue())) return nullptr;
        DatabaseOptions options = options_for(access, timeout_);
        options.durable = true;  // which generation is current is not told again by the log
        return std::make_shared<DatabasePool>(names().catalogue_url(), options, open_, false);
    }

    std::shared_ptr<DatabasePool> generation(std::string_view view, std::int64_t number,
                                             Access access) override {
        if (access == Access::write && !names().folder().empty()) {
            std::filesystem::create_directories(names().folder());
        }
        if (access == Access::read && !there(names().generation(view, number))) return nullptr;
        return std::make_shared<DatabasePool>(names().generation_url(view, number),
                                              options_for(access, timeout_), open_, false);
    }

    void drop(std::string_view view, std::int64_t number) override {
        const std::string name = names().generation(view, number);
        if (names().kind() == PlaceNames::Kind::sqlite) {
            for (const char* suffix : {"", "-wal", "-shm"}) {
                std::error_code failed;
                std::filesystem::remove(name + suffix, failed);
                if (failed) {
                    throw Unavailable(name + suffix + " cannot be removed (" + failed.message() +
                                      "); remove what is in the way, and drop it again");
                }
            }
            return;
        }
        const auto database = open_(names().catalogue_url(), options_for(Access::write, timeout_));
        const auto sql = database->begin(SqlMode::write);
        sql->exec("drop schema if exists \"" + name + "\" cascade");
        sql->commit();
    }

private:
    /// A schema that is missing is told by the server.
    [[nodiscard]] bool there(const std::string& name) const {
        return names().kind() == PlaceNames::Kind::postgresql || std::filesystem::exists(name);
    }

    OpenDatabase open_;
    Duration timeout_;
};

/// In-memory databases: each is one connection, shared by all of this process.
class MemoryPlace : public Place {
public:
    MemoryPlace(PlaceNames names, std::string key, OpenDatabase open, Duration timeout)
        : Place(std::move(names), std::move(key)), open_(std::move(open)), timeout_(timeout) {}

    std::shared_ptr<DatabasePool> catalogue(Access access) override { return pool("", access); }
    std::shared_ptr<DatabasePool> generation(std::string_view view, std::int64_t number,
                                             Access access) override {
        return pool(std::string{view} + "." + std::to_string(number), access);
    }
    void drop(std::string_view view, std::int64_t number) override {
        const std::scoped_lock lock{mutex_};
        pools_.erase(std::string{view} + "." + std::to_string(number));
    }

private:
    std::shared_ptr<DatabasePool> pool(const std::string& name, Access access) {
        const std::scoped_lock lock{mutex_};
        auto found = pools_.find(name);
        if (found == pools_.end()) {
            if (access == Access::read) return nullptr;
            auto made = std::make_shared<DatabasePool>(
                "sqlite::memory:", options_for(Access::write, timeout_), open_, true);
            found = pools_.emplace(name, std::move(made)).first;
        }
        return found->second;
    }

    OpenDatabase open_;
    Duration timeout_;
    std::mutex mutex_;
    std::map<std::string, std::shared_ptr<DatabasePool>> pools_;
};

/// Views of in-memory stores outlive the projector that made them, so that others can read them. A
/// store's end is not known here: the places used longest ago, and by nobody now, make room.
class MemoryPlaces {
public:
    std::shared_ptr<Place> at(const PlaceNames& names, const Uuid& store, const OpenDatabase& open,
                              Duration timeout) {
        const std::scoped_lock lock{mutex_};
        const auto found = std::find_if(places_.begin(), places_.end(),
                                        [&](const auto& entry) { return entry.first == store; });
        if (found != places_.end()) {
            std::rotate(found, found + 1, places_.end());
            return places_.back().second;
        }
        for (auto entry = places_.begin();
             entry != places_.end() && places_.size() >= max_places;) {
            entry = entry->second.use_count() == 1 ? places_.erase(entry) : entry + 1;
        }
        auto made =
            std::make_shared<MemoryPlace>(names, "memory:" + to_string(store), open, timeout);
        places_.emplace_back(store, std::move(made));
        return places_.back().second;
    }

private:
    static constexpr std::size_t max_places = 64;

    std::mutex mutex_;
    std::vector<std::pair<Uuid, std::shared_ptr<Place>>> places_;  // least recently used first
};

}  // namespace

std::shared_ptr<Place> Place::at(const std::string& url, const Uuid& store,
                                 const OpenDatabase& open, Duration timeout) {
    const OpenDatabase opener =
        open ? open : [](const std::string& which, const DatabaseOptions& options) {
            return Database::open(which, options);
        };
    PlaceNames names{url};
    if (names.kind() == PlaceNames::Kind::memory) {
        static MemoryPlaces places;
        return places.at(names, store, opener, timeout);
    }
    std::string key = names.catalogue_url();
    if (names.kind() == PlaceNames::Kind::sqlite) {
        key = std::filesystem::weakly_canonical(names.catalogue()).string();
    }
    return std::make_shared<StoredPlace>(std::move(names), std::move(key), opener, timeout);
}

}  // namespace recount::projections
