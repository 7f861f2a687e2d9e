#include <recount/core.hpp>
#include <recount/eventstore.hpp>

#include <cstdlib>
#include <iostream>

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

int main(int argc, char** argv) {
    if (argc != 2) return EXIT_FAILURE;
    auto store = recount::open_store(argv[1]);
    recount::Repository<parcels::Parcel> repository{*store};
    parcels::Send send;
    send.set_address("12 Mill Lane");
    const bool sent = static_cast<bool>(repository.handle("1", send));
    const bool sent_twice = static_cast<bool>(repository.handle("1", send));
    std::cout << "sent " << sent << ", twice " << sent_twice << '\n';
    return sent && !sent_twice ? EXIT_SUCCESS : EXIT_FAILURE;
}
