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
    const sigset_t signals = ending_signals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    waiting_ = std::jthread{[this, signals](const std::stop_token& over) {
        const timespec pause{.tv_sec = 0, .tv_nsec = 100'000'000};
        while (!over.stop_requested()) {
            if (sigtimedwait(&signals, nullptr, &pause) < 0) continue;
            if (!stop_.request_stop()) _exit(ended_by_signal);
        }
    }};
}

}  // namespace shop
