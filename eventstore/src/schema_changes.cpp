#include "schema_changes.hpp"

#include <set>
#include <utility>

#include <google/protobuf/descriptor.h>

namespace recount {
namespace {

namespace pb = google::protobuf;
using Field = pb::FieldDescriptor;

std::string type_of(const Field& field) {
    std::string type = field.is_repeated() ? "repeated " : "";
    if (field.type() == Field::TYPE_MESSAGE) return type + field.message_type()->full_name();
    if (field.type() == Field::TYPE_ENUM) return type + field.enum_type()->full_name();
    return type + field.type_name();
}

bool reads_alike(const Field& before, const Field& now) {
    if (before.is_repeated() != now.is_repeated()) return false;
    if (before.type() == Field::TYPE_INT32 && now.type() == Field::TYPE_INT64) return true;
    if (before.type() == Field::TYPE_UINT32 && now.type() == Field::TYPE_UINT64) return true;
    return type_of(before) == type_of(now);
}

class Comparison {
public:
    explicit Comparison(Use use) : use_(use) {}

    std::vector<std::string> changes;

    void messages(const pb::Descriptor& before, const pb::Descriptor& now) {
        if (!seen_.insert(before.full_name()).second) return;
        for (int i = 0; i < before.field_count(); ++i) field(*before.field(i), now);
        for (int i = 0; i < now.field_count(); ++i) added(before, *now.field(i));
    }

private:
    void field(const Field& before, const pb::Descriptor& message) {
        const Field* now = message.FindFieldByNumber(before.number());
        const std::string number = std::to_string(before.number());
        if (now == nullptr) {
            if (use_ == Use::writing && !message.IsReservedNumber(before.number())) {
                add(before.full_name() + " = " + number + " was taken away; write `reserved " +
                    number + ";` in " + message.full_name() +
                    " so that the number is never given again");
            }
            moved(before, message);
            return;
        }
        if (!reads_alike(before, *now)) {
            add(now->full_name() + " = " + number + " is " + type_of(*now) +
                ", but stored events have " + type_of(before) + " " + before.name() +
                " under that number; give the field a new number");
            return;
        }
        joined(before, *now);
        if (before.name() != now->name()) moved(before, message);
        if (before.cpp_type() == Field::CPPTYPE_MESSAGE)  // or a group of proto2
            messages(*before.message_type(), *now->message_type());
        if (before.type() == Field::TYPE_ENUM) enums(*before.enum_type(), *now->enum_type());
    }

    /// Proto2: no event that is stored has what is required from now on.
    void added(const pb::Descriptor& before, const Field& now) {
        const Field* old = before.FindFieldByNumber(now.number());
        if (!now.is_required() || (old != nullptr && old->is_required())) return;
        add(now.full_name() + " = " + std::to_string(now.number()) +
            " is required, and stored events may be without it; make it optional");
    }

    /// Of several that are set, only the last is read from within a oneof.
    void joined(const Field& before, const Field& now) {
        const pb::OneofDescriptor* alternatives = now.real_containing_oneof();
        if (alternatives == nullptr) return;
        const pb::OneofDescriptor* own = before.real_containing_oneof();
        for (int i = 0; i < alternatives->field_count(); ++i) {
            const Field* other =
                before.containing_type()->FindFieldByNumber(alternatives->field(i)->number());
            if (other == nullptr || other->number() == before.number()) continue;
            if (own != nullptr && other->real_containing_oneof() == own) continue;
            add(now.full_name() + " = " + std::to_string(now.number()) + " was put into oneof " +
                alternatives->name() + " with " + other->name() +
                ", and stored events may have both; take it out again");
            return;
        }
    }

    /// A field of this name under another number: old events would leave it empty.
    void moved(const Field& before, const pb::Descriptor& message) {
        const Field* now = message.FindFieldByName(before.name());
        if (now == nullptr) return;
        add(now->full_name() + " moved from number " + std::to_string(before.number()) + " to " +
            std::to_string(now->number()) +
            "; stored events still have it under the old number: give it back");
    }

    void enums(const pb::EnumDescriptor& before, const pb::EnumDescriptor& now) {
        if (!seen_.insert(before.full_name()).second) return;
        for (int i = 0; i < before.value_count(); ++i) {
            const pb::EnumValueDescriptor& value = *before.value(i);
            const pb::EnumValueDescriptor* same_name = now.FindValueByName(value.name());
            const std::string number = std::to_string(value.number());
            if (same_name != nullptr && same_name->number() != value.number()) {
                add(same_name->full_name() + " moved from " + number + " to " +
                    std::to_string(same_name->number()) + "; stored events mean it by " + number +
                    ": give that number back");
            } else if (use_ == Use::writing && now.FindValueByNumber(value.number()) == nullptr &&
                       !now.IsReservedNumber(value.number())) {
                add(value.full_name() + " = " + number + " was taken away; write `reserved " +
                    number + ";` in " + now.full_name() +
                    " so that the number is never given again");
            }
        }
    }

    void add(std::string change) { changes.push_back(std::move(change)); }

    Use use_;
    std::set<std::string> seen_;
};

}  // namespace

std::vector<std::string> incompatible_changes(const pb::Descriptor& before,
                                              const pb::Descriptor& now, Use use) {
    Comparison comparison{use};
    comparison.messages(before, now);
    return std::move(comparison.changes);
}

}  // namespace recount
