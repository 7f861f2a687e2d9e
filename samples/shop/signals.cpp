#include "signals.hpp"

#include <unistd.h>

#include <csignal>
#include <ctime>

namespace shop {

namespace {

constexpr int ended_by_signal = 130;

sigset_t ending_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    return signals;
}

}  // namespace

Signals::Signals() {
    constexpr int one_second = 10;  // pauses
    const sigset_t signals = ending_signals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    waiting_ = std::jthread{[this, signals](const std::stop_token& over) {
        const timespec pause{.tv_sec = 0, .tv_nsec = 100'000'000};
        // Who presses Ctrl-C signals every process of the terminal, and a parent passes it on: that
        // is one wish.
        for (int quiet = 0; !over.stop_requested();) {
            if (sigtimedwait(&signals, nullptr, &pause) < 0) {
                ++quiet;
            } else if (stop_.request_stop()) {
                quiet = 0;
            } else if (quiet >= one_second) {
                _exit(ended_by_signal);
            }
        }
    }};
}

}  // namespace shop
