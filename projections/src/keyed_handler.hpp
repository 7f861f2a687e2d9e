#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include <google/protobuf/arena.h>

#include "columns.hpp"
#include "handler.hpp"

namespace recount::projections {

/// A keyed view: reads the rows a batch touches in one statement, folds in memory in order, and
/// writes what changed in one statement, what went in another.
class KeyedHandler : public Handler {
public:
    explicit KeyedHandler(const ViewDefinition& definition);
    void apply(Sql& sql, EventBatch& batch, const std::vector<std::size_t>& chosen,
               bool again) override;

private:
    struct Slot {
        google::protobuf::Message* row = nullptr;  // nothing: no such row now
        std::int64_t revision = 0;                 // events folded into the row since it was begun
        bool stored = false;                       // there is one in the table
        bool changed = false;
        bool spoilt = false;  // an event failed half way, or it is not known whether one is applied
    };
    struct Step {
        std::size_t event;
        std::unordered_map<std::string, Slot>::pointer slot;
    };
    struct Fold {
        google::protobuf::Arena arena;
        std::unordered_map<std::string, Slot> slots;
        std::vector<Step> steps;
    };

    void find_keys(EventBatch& batch, std::size_t number, Fold& fold,
                   std::vector<std::string>& keys);
    void read(Sql& sql, Fold& fold) const;
    void step(EventBatch& batch, const Step& step, Fold& fold);
    void fold_all(EventBatch& batch, Fold& fold, Failures& failures);
    void write(Sql& sql, const Fold& fold);

    RowColumns columns_;
};

}  // namespace recount::projections
