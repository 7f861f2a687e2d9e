#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <recount/projections/view.hpp>

#include "columns.hpp"
#include "judge.hpp"
#include "knowledge.hpp"
#include "signals.hpp"
#include "turns.hpp"

namespace recount {

/// One reader of one view; see ViewReader.
class ViewReader::Impl {
public:
    Impl(Log& log, bool is_store, ViewDefinition view, ViewOptions options);

    /// Which partition and stream alone feed what is read, when that is so.
    struct Source {
        std::optional<Partition> only;
        std::optional<std::string> stream;
    };
    /// Reads within the snapshot that was judged fresh enough.
    using Ask = std::function<void(Sql& sql, const projections::GenerationHead& head)>;
    Served read(const Consistency& consistency, const Source& source, const Ask& ask);

    /// Nothing: no event could have made a row under that key.
    [[nodiscard]] std::optional<Source> source_of(std::string_view key) const;
    [[nodiscard]] const ViewDefinition& view() const { return view_; }
    /// The columns that the generation and this code both know, after key and revision.
    [[nodiscard]] std::vector<std::string> columns_in(const projections::GenerationHead& head,
                                                      std::vector<bool>& present) const;
    [[nodiscard]] std::unique_ptr<google::protobuf::Message> row_of(
        const std::vector<SqlValue>& values, const std::vector<bool>& present) const;

private:
    struct Verdict {
        std::string missing;  // empty: what was asked for is there
        bool told = true;     // false: the log did not say, and who reads takes what is stale
    };
    struct Attempt {
        projections::Snapshot snapshot;
        Verdict verdict;
        std::string served_by;
        bool asked = false;
        bool retired = false;
        bool dropped = false;  // nothing else is known
    };
    [[nodiscard]] Source source_in(const Source& source,
                                   const projections::Snapshot& snapshot) const;

    using Judge = std::function<Verdict(const projections::Snapshot& snapshot)>;

    Verdict verdict(const Consistency& consistency, const std::function<std::string()>& missing);
    Judge judge(const Consistency& consistency, const Source& source);
    std::string judge_bounded(const Consistency& consistency, const Source& source,
                              const projections::Snapshot& snapshot);
    projections::Wanted wanted(const Consistency& consistency, const Source& source);
    bool is_lost(const StorePositions& seen);
    std::string judge_wanted(projections::Wanted wanted, const projections::Snapshot& snapshot);
    Attempt attempt(const Judge& judge, bool force, bool look, const Ask& ask);
    Served served(const Consistency& consistency, const Source& source, const Attempt& attempt);

    Log& log_;
    bool is_store_;
    ViewDefinition view_;
    ViewOptions options_;
    std::shared_ptr<projections::Place> place_;
    projections::LogKnowledge log_knowledge_;
    projections::CurrentGeneration current_;
    projections::Turns turns_;
    std::shared_ptr<Signal> moved_;
    std::optional<projections::RowColumns> columns_;
};

}  // namespace recount
