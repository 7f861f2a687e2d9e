#include <string>
#include <string_view>

#include <recount/core/error.hpp>
#include <recount/core/hash.hpp>

#include "place.hpp"

namespace recount::projections {

namespace {

// PostgreSQL cuts longer names silently, so that two could become one.
constexpr std::size_t max_schema_bytes = 63;

std::string bounded_name(std::string name) {
    if (name.size() <= max_schema_bytes) return name;
    const std::string digest = to_string(sha256(name)).substr(0, 12);
    return name.substr(0, max_schema_bytes - digest.size() - 1) + "_" + digest;
}

}  // namespace

PlaceNames::PlaceNames(const std::string& url) {
    const std::string_view view = url;
    if (view.starts_with("memory:")) {
        kind_ = Kind::memory;
        return;
    }
    if (view.starts_with("sqlite:")) {
        kind_ = Kind::sqlite;
        base_ = url.substr(7);
        if (base_.ends_with(".db")) base_.resize(base_.size() - 3);
        if (base_.empty() || base_.starts_with(":")) {
            throw InvalidArgument("views beside a sqlite: URL need a path; write sqlite:PATH");
        }
        return;
    }
    if (!view.starts_with("postgresql://") && !view.starts_with("postgres://")) {
        throw InvalidArgument(
            "views stand beside a store's URL: memory:, sqlite:PATH or postgresql://…?schema=NAME");
    }
    kind_ = Kind::postgresql;
    const std::size_t query = view.find('?');
    std::size_t at = query;
    while (at != std::string_view::npos && view.substr(at + 1, 7) != "schema=") {
        at = view.find('&', at + 1);
    }
    if (at == std::string_view::npos) {
        throw InvalidArgument("the PostgreSQL URL of the views names no schema; add ?schema=NAME");
    }
    const std::size_t begin = at + 8;
    const std::size_t end = std::min(view.find('&', begin), view.size());
    before_ = url.substr(0, begin);
    after_ = url.substr(end);
    base_ = url.substr(begin, end - begin);
}

std::string PlaceNames::with_schema(const std::string& schema) const {
    return before_ + schema + after_;
}

std::string PlaceNames::catalogue() const {
    switch (kind_) {
        case Kind::memory:
            return "memory";
        case Kind::sqlite:
            return base_ + ".views.db";
        case Kind::postgresql:
            return bounded_name(base_ + "_views");
    }
    return {};
}

std::string PlaceNames::generation(std::string_view view, std::int64_t number) const {
    const std::string name = std::string{view};
    const std::string suffix = "g" + std::to_string(number);
    switch (kind_) {
        case Kind::memory:
            return "memory (" + name + "." + suffix + ")";
        case Kind::sqlite:
            return folder() + "/" + name + "." + suffix + ".db";
        case Kind::postgresql:
            return bounded_name(base_ + "_views_" + name + "_" + suffix);
    }
    return {};
}

std::string PlaceNames::folder() const {
    return kind_ == Kind::sqlite ? base_ + ".views" : std::string{};
}

std::string PlaceNames::catalogue_url() const {
    switch (kind_) {
        case Kind::memory:
            return "sqlite::memory:";
        case Kind::sqlite:
            return "sqlite:" + catalogue();
        case Kind::postgresql:
            return with_schema(catalogue());
    }
    return {};
}

std::string PlaceNames::generation_url(std::string_view view, std::int64_t number) const {
    switch (kind_) {
        case Kind::memory:
            return "sqlite::memory:";
        case Kind::sqlite:
            return "sqlite:" + generation(view, number);
        case Kind::postgresql:
            return with_schema(generation(view, number));
    }
    return {};
}

}  // namespace recount::projections
