#pragma once

#include <recount/core.hpp>

#include "parcels.pb.h"

namespace parcels {

struct Parcel {
    static constexpr std::string_view category = "parcel";
    using Event = recount::Events<Sent>;

    std::string address;
};

inline Parcel evolve(Parcel parcel, const Sent& event) {
    parcel.address = event.address();
    return parcel;
}

inline recount::Decision<Parcel> decide(const Parcel& parcel, const Send& command) {
    if (!parcel.address.empty()) return recount::reject("sent_already");
    Sent sent;
    sent.set_address(command.address());
    return sent;
}

}  // namespace parcels
