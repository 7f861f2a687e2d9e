#include "keyed_handler.hpp"

#include <algorithm>
#include <set>
#include <span>

#include <recount/core/error.hpp>
#include <recount/core/utf8.hpp>

namespace recount::projections {

namespace {

void check_key(const std::string& key) {
    if (key.size() > 1024 || key.find('\0') != std::string::npos || !valid_utf8(key)) {
        throw InvalidArgument("a row's key has at most 1024 bytes of UTF-8 and no NUL");
    }
}

}  // namespace

KeyedHandler::KeyedHandler(const ViewDefinition& definition)
    : Handler(definition), columns_(*definition.row->GetDescriptor()) {}

void KeyedHandler::find_keys(EventBatch& batch, std::size_t number, Fold& fold,
                             std::vector<std::string>& keys) {
    const RecordedEvent& event = batch.events()[number];
    const auto keys_hook = event.erased() ? nullptr : hook(event)->keys;
    if (event.erased() && definition().erased->keys != nullptr) {
        definition().erased->keys(Erased{event.at.position, event.at.version, event.at.type},
                                  event.at, keys);
    } else if (keys_hook != nullptr) {
        keys_hook(batch.decoded(number, *hook(event)), event.at, keys);
    } else {
        keys.assign(1, std::string{event.at.stream.id()});
    }
    const std::size_t first = fold.steps.size();
    for (std::string& key : keys) {
        check_key(key);
        const Step next{number, &*fold.slots.try_emplace(std::move(key)).first};
        const bool named_before =
            std::any_of(fold.steps.begin() + static_cast<std::ptrdiff_t>(first), fold.steps.end(),
                        [&](const Step& step) { return step.slot == next.slot; });
        if (!named_before) fold.steps.push_back(next);
    }
}

void KeyedHandler::read(Sql& sql, Fold& fold) const {
    if (fold.slots.empty()) return;
    std::vector<std::string> keys;
    keys.reserve(fold.slots.size());
    for (const auto& [key, slot] : fold.slots) keys.push_back(key);
    std::sort(keys.begin(), keys.end());  // neighbours in the index are read together
    const SqlResult found = sql.read(definition().name, columns_.names(), key_column, keys);
    for (std::size_t row = 0; row < found.size(); ++row) {
        Slot& slot = fold.slots.at(found.text(row, 0));
        slot.revision = found.integer(row, 1);
        slot.stored = true;
        slot.row = definition().row->New(&fold.arena);
        columns_.decode(found.rows[row], 2, *slot.row);
    }
}

void KeyedHandler::step(EventBatch& batch, const Step& step, Fold& fold) {
    const RecordedEvent& event = batch.events()[step.event];
    Slot& slot = step.slot->second;
    const std::string& key = step.slot->first;
    if (slot.row == nullptr) {
        slot.row = definition().row->New(&fold.arena);
        slot.revision = 0;
    }
    Row verdict = Row::keep;
    if (event.erased()) {
        verdict = definition().erased->evolve(
            *slot.row, Erased{event.at.position, event.at.version, event.at.type}, event.at, key);
    } else {
        const EventHook* known = hook(event);
        verdict = known->evolve(*slot.row, batch.decoded(step.event, *known), event.at, key);
    }
    ++slot.revision;
    slot.changed = true;
    columns_.check(*slot.row);
    if (verdict == Row::remove) slot.row = nullptr;
}

void KeyedHandler::write(Sql& sql, const Fold& fold) {
    RowsWrite write;
    write.table = definition().name;
    write.columns = columns_.names();
    write.types = columns_.types();
    write.key = {std::string{key_column}};
    std::vector<std::string> removed;
    std::vector<const std::pair<const std::string, Slot>*> changed;
    for (const auto& entry : fold.slots) {
        if (!entry.second.changed) continue;
        if (entry.second.row != nullptr) {
            changed.push_back(&entry);
        } else if (entry.second.stored) {
            removed.push_back(entry.first);
        }
    }
    std::sort(changed.begin(), changed.end(),
              [](const auto* left, const auto* right) { return left->first < right->first; });
    write.rows.reserve(changed.size());
    for (const auto* entry : changed) {
        std::vector<SqlValue>& values = write.rows.emplace_back();
        values.reserve(write.columns.size());
        values.emplace_back(entry->first);
        values.emplace_back(entry->second.revision);
        columns_.encode(*entry->second.row, values);
    }
    if (!write.rows.empty()) sql.write(write);
    if (!removed.empty()) {
        std::sort(removed.begin(), removed.end());
        sql.remove(definition().name, key_column, removed);
    }
}

/// Behind a failure goes on where nothing depends on it, so that all are found at once and not one
/// for each time that the page is begun anew. What touches a spoilt row is left open, and so is
/// what follows in its stream: whether that is applied is not known.
void KeyedHandler::fold_all(EventBatch& batch, Fold& fold, Failures& failures) {
    std::set<StreamName> open;
    for (auto step = fold.steps.begin(); step != fold.steps.end();) {
        const RecordedEvent& event = batch.events()[step->event];
        const auto end = std::find_if(
            step, fold.steps.end(), [&](const Step& other) { return other.event != step->event; });
        const std::span<const Step> steps{step, end};
        step = end;
        if (failures.any()) {
            if (failures.behind(event.at)) continue;
            if (open.contains(event.at.stream) || std::ranges::any_of(steps, [](const Step& one) {
                    return one.slot->second.spoilt;
                })) {
                open.insert(event.at.stream);
                for (const Step& one : steps) one.slot->second.spoilt = true;
                continue;
            }
        }
        const bool good = failures.guarded(event, [&] {
            for (const Step& one : steps) this->step(batch, one, fold);
        });
        if (good) continue;
        for (const Step& one : steps) one.slot->second.spoilt = true;
    }
}

void KeyedHandler::apply(Sql& sql, EventBatch& batch, const std::vector<std::size_t>& chosen,
                         bool) {
    Fold fold;
    fold.slots.reserve(chosen.size());
    fold.steps.reserve(chosen.size());
    Failures failures;
    std::vector<std::string> keys;
    for (const std::size_t number : chosen) {
        const RecordedEvent& event = batch.events()[number];
        if (failures.behind(event.at)) continue;
        const std::size_t before = fold.steps.size();
        if (!failures.guarded(event, [&] { find_keys(batch, number, fold, keys); })) {
            fold.steps.erase(fold.steps.begin() + static_cast<std::ptrdiff_t>(before),
                             fold.steps.end());
        }
    }
    read(sql, fold);
    fold_all(batch, fold, failures);
    failures.raise();
    write(sql, fold);
}

}  // namespace recount::projections
