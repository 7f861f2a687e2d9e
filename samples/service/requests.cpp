#include "requests.hpp"

#include <poll.h>
#include <unistd.h>

namespace articles {

void take_requests(std::stop_token stop, const std::function<void(const std::string&)>& answer) {
    constexpr int look_up = 100;  // milliseconds, for the stop
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    std::string line;
    while (!stop.stop_requested()) {
        if (poll(&input, 1, look_up) <= 0) continue;
        char next = 0;
        if (read(STDIN_FILENO, &next, 1) != 1) return;
        if (next != '\n') {
            line += next;
        } else {
            answer(line);
            line.clear();
        }
    }
}

}  // namespace articles
