#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <recount/core/values.hpp>
#include <recount/projections/projector.hpp>

namespace recount::projections {

/// Where the views beside a store's URL are kept: names and nothing else. A value.
class PlaceNames {
public:
    enum class Kind : std::uint8_t { memory, sqlite, postgresql };

    /// Throws InvalidArgument for a URL that no store could have.
    explicit PlaceNames(const std::string& url);

    [[nodiscard]] Kind kind() const { return kind_; }
    /// URLs for Database::open; they may hold secrets.
    [[nodiscard]] std::string catalogue_url() const;
    [[nodiscard]] std::string generation_url(std::string_view view, std::int64_t generation) const;
    /// For people and for file operations: the SQLite file, the PostgreSQL schema.
    [[nodiscard]] std::string catalogue() const;
    [[nodiscard]] std::string generation(std::string_view view, std::int64_t generation) const;
    /// The folder of the generations' files; empty for others than SQLite.
    [[nodiscard]] std::string folder() const;

private:
    [[nodiscard]] std::string with_schema(const std::string& schema) const;

    Kind kind_;
    std::string base_;            // the file without ".db", or the schema
    std::string before_, after_;  // the PostgreSQL URL around the schema's name
};

/// Connections to one database: taken for a transaction, given back after it. An in-memory database
/// is one connection for all, so a lease of it is a lock. Thread-safe.
class DatabasePool {
public:
    DatabasePool(std::string url, DatabaseOptions options, OpenDatabase open, bool only_one);

    class Lease {
    public:
        Lease(DatabasePool& pool, std::unique_ptr<Database> own);
        Lease(DatabasePool& pool, std::unique_lock<std::mutex> lock);
        ~Lease();
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;
        Database& operator*() const { return *database_; }
        Database* operator->() const { return database_; }

    private:
        DatabasePool& pool_;
        std::unique_ptr<Database> own_;
        std::unique_lock<std::mutex> lock_;
        Database* database_;
    };

    Lease take();

private:
    static constexpr std::size_t max_idle = 8;

    std::string url_;
    DatabaseOptions options_;
    OpenDatabase open_;
    bool only_one_;
    std::mutex mutex_;
    std::unique_ptr<Database> one_;
    std::vector<std::unique_ptr<Database>> idle_;
};

/// The databases of the views of one store. Thread-safe.
class Place {
public:
    enum class Access : std::uint8_t { read, write };

    /// The place beside `url`; `store` tells in-memory places apart, which live in this process
    /// only.
    static std::shared_ptr<Place> at(const std::string& url, const Uuid& store,
                                     const OpenDatabase& open, Duration timeout);
    virtual ~Place() = default;

    [[nodiscard]] const PlaceNames& names() const { return names_; }
    /// One for each place within this process: what waiting readers and projectors meet under.
    [[nodiscard]] const std::string& key() const { return key_; }

    /// Nothing when it is not there and access is for reading.
    virtual std::shared_ptr<DatabasePool> catalogue(Access access) = 0;
    virtual std::shared_ptr<DatabasePool> generation(std::string_view view, std::int64_t number,
                                                     Access access) = 0;
    /// Removes a generation with all it holds; nothing to do when it is not there.
    virtual void drop(std::string_view view, std::int64_t number) = 0;

protected:
    Place(PlaceNames names, std::string key) : names_(std::move(names)), key_(std::move(key)) {}

private:
    PlaceNames names_;
    std::string key_;
};

}  // namespace recount::projections
