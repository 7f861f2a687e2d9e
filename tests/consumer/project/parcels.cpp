#include <recount/eventstore.hpp>

#include <cstdlib>
#include <iostream>

#include "parcel.hpp"

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
