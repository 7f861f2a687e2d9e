#pragma once

#include <recount/outbox.hpp>

#include <google/protobuf/wrappers.pb.h>

#include <string>
#include <vector>

namespace recount::test {

/// Of the events of append_events(): none, one or several messages, by the number in their text.
/// The first has a key of its stream's own, the others one that several streams share.
struct PublicThings {
    static constexpr std::string_view name = "public_things";
    using Event = Events<google::protobuf::StringValue>;

    static std::vector<Message> publish(const google::protobuf::StringValue& event,
                                        const Recorded& at) {
        const std::string& text = event.value();
        const int number = std::stoi(text.substr(text.find('/') + 1));
        std::vector<Message> made;
        for (int index = 0; index < number % 4; ++index) {
            google::protobuf::StringValue told;
            told.set_value(text + "#" + std::to_string(index));
            made.emplace_back(
                index == 0 ? std::string{at.stream.id()} : "shared-" + std::to_string(number % 7),
                told);
        }
        return made;
    }
};

}  // namespace recount::test
