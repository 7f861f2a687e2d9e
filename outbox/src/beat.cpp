#include "beat.hpp"

#include <algorithm>

#include <google/protobuf/util/json_util.h>

#include <recount/core/error.hpp>

#include "hex.hpp"
#include "recount/outbox/beat.pb.h"

namespace recount {
namespace {

void write(const LogHead& head, std::int64_t published, v1::PublishedHead& to) {
    to.set_n(head.n);
    to.set_hash(to_string(head.hash));
    to.set_recorded_at(to_string(head.recorded_at));
    to.set_published(published);
}

LogHead read(const v1::PublishedHead& from) {
    LogHead head;
    head.n = from.n();
    if (from.n() < 0 || from.published() < 0) {
        throw InvalidArgument("not a position; look who writes to the topic");
    }
    const auto hash = parse_hash(from.hash());
    if (!hash) throw InvalidArgument("not a hash; look who writes to the topic");
    head.hash = *hash;
    head.recorded_at = parse_timestamp(from.recorded_at());
    return head;
}

Uuid read_uuid(const std::string& text) {
    const auto uuid = parse_uuid(text);
    if (!uuid) throw InvalidArgument("not a UUID; look who writes to the topic");
    return *uuid;
}

Incarnation read(const v1::PublishedIncarnation& from) {
    Incarnation incarnation;
    incarnation.id = read_uuid(from.id());
    if (!from.parent().empty()) incarnation.parent = read_uuid(from.parent());
    incarnation.began_at = parse_timestamp(from.began_at());
    for (const auto& fork : from.forks()) incarnation.forks.push_back(read(fork));
    return incarnation;
}

Beat read(const v1::Beat& from) {
    Beat beat;
    beat.identity.id = read_uuid(from.store());
    beat.identity.name = from.store_name();
    beat.identity.partitions = from.heads_size();
    beat.at = parse_timestamp(from.beat_at());
    beat.log = from.log();
    for (const auto& head : from.heads()) {
        beat.heads.push_back(read(head));
        beat.published.push_back(head.published());
    }
    for (const auto& one : from.incarnations()) beat.incarnations.push_back(read(one));
    const bool torn = std::any_of(beat.incarnations.begin(), beat.incarnations.end(),
                                  [&](const Incarnation& one) {
                                      return one.parent && one.forks.size() != beat.heads.size();
                                  });
    if (torn || beat.incarnations.empty() || beat.heads.empty() || beat.log.empty()) {
        throw InvalidArgument("incomplete; look who writes to the topic");
    }
    beat.identity.incarnation = beat.incarnations.back().id;
    return beat;
}

}  // namespace

std::string encode(const Beat& beat) {
    v1::Beat to;
    to.set_store(to_string(beat.identity.id));
    to.set_store_name(beat.identity.name);
    to.set_beat_at(to_string(beat.at));
    to.set_log(beat.log);
    for (std::size_t index = 0; index < beat.heads.size(); ++index) {
        write(beat.heads[index], beat.published.at(index), *to.add_heads());
    }
    for (const auto& one : beat.incarnations) {
        auto& incarnation = *to.add_incarnations();
        incarnation.set_id(to_string(one.id));
        if (one.parent) incarnation.set_parent(to_string(*one.parent));
        incarnation.set_began_at(to_string(one.began_at));
        for (const auto& fork : one.forks) write(fork, fork.n, *incarnation.add_forks());
    }
    google::protobuf::util::JsonPrintOptions options;
    options.preserve_proto_field_names = true;
    std::string json;
    const auto status = google::protobuf::util::MessageToJsonString(to, &json, options);
    if (!status.ok()) {
        throw Error("the beat of store " + beat.identity.name +
                    " cannot be written as JSON; is its name valid UTF-8?");
    }
    return json;
}

std::optional<Beat> decode_beat(std::string_view json) {
    v1::Beat from;
    google::protobuf::util::JsonParseOptions options;
    options.ignore_unknown_fields = true;  // of later versions
    const google::protobuf::StringPiece text{json.data(), json.size()};
    if (!google::protobuf::util::JsonStringToMessage(text, &from, options).ok()) {
        return std::nullopt;
    }
    try {
        return read(from);
    } catch (const InvalidArgument&) {
        return std::nullopt;
    }
}

}  // namespace recount
