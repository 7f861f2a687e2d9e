#include <recount/projections/view.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include <recount/core/error.hpp>

#include "reader.hpp"

namespace recount {

using projections::GenerationHead;

namespace {

constexpr std::size_t most_rows = std::numeric_limits<std::int64_t>::max();

ViewOptions with_views(ViewOptions options, const std::string& url) {
    if (options.views.empty()) options.views = url;
    return options;
}

}  // namespace

ViewReader::ViewReader(Log& log, ViewDefinition view, ViewOptions options) {
    if (options.views.empty()) {
        throw InvalidArgument(
            "a View of a log that is no store needs .views, the URL beside which "
            "the views stand");
    }
    impl_ = std::make_unique<Impl>(log, false, std::move(view), std::move(options));
}

ViewReader::ViewReader(EventStore& store, ViewDefinition view, ViewOptions options)
    : impl_(std::make_unique<Impl>(store, true, std::move(view),
                                   with_views(std::move(options), store.url()))) {}

ViewReader::~ViewReader() = default;
ViewReader::ViewReader(ViewReader&&) noexcept = default;
ViewReader& ViewReader::operator=(ViewReader&&) noexcept = default;

Served ViewReader::get(std::string_view key, const Consistency& consistency,
                       std::unique_ptr<google::protobuf::Message>& row) {
    const auto source = impl_->source_of(key);
    const std::vector<std::string> keys{std::string{key}};
    return impl_->read(consistency, source.value_or(ViewReader::Impl::Source{}),
                       [&](Sql& sql, const GenerationHead& head) {
                           if (!source) return;
                           std::vector<bool> present;
                           const std::vector<std::string> columns =
                               impl_->columns_in(head, present);
                           const SqlResult found =
                               sql.read(impl_->view().name, columns, projections::key_column, keys);
                           if (!found.empty()) row = impl_->row_of(found.rows.front(), present);
                       });
}

Served ViewReader::list(const ListRows& which, const Consistency& consistency, const Take& take) {
    return impl_->read(consistency, {}, [&](Sql& sql, const GenerationHead& head) {
        std::vector<bool> present;
        std::string names;
        for (const std::string& name : impl_->columns_in(head, present)) {
            names += (names.empty() ? "" : ", ") + projections::quoted(name);
        }
        const std::string key = projections::quoted(projections::key_column);
        const SqlResult found = sql.query(
            "select " + names + " from " + projections::quoted(impl_->view().name) + " where " +
                key + (which.after_key ? " > " : " >= ") + "$1 order by " + key + " limit $2",
            which.after_key.value_or(""), std::min(which.limit, most_rows));
        for (std::size_t row = 0; row < found.size(); ++row) {
            take(found.text(row, 0), *impl_->row_of(found.rows[row], present));
        }
    });
}

Served ViewReader::query(const Consistency& consistency, const std::function<void(Sql&)>& ask) {
    return impl_->read(consistency, {}, [&](Sql& sql, const GenerationHead&) {
        try {
            ask(sql);
        } catch (const InvalidArgument& error) {
            throw InvalidArgument("view " + impl_->view().name +
                                  " is read here, its projector alone writes it: " + error.what());
        }
    });
}

}  // namespace recount
