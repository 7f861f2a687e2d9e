#include "interrupt.hpp"

#include <csignal>

namespace recount::tools {
namespace {

volatile std::sig_atomic_t interrupted = 0;

}  // namespace

Interrupt::Interrupt() {
    interrupted = 0;
    before_ = std::signal(SIGINT, [](int) { interrupted = 1; });
}

Interrupt::~Interrupt() {
    std::signal(SIGINT, before_);
    interrupted = 0;
}

bool Interrupt::happened() { return interrupted != 0; }

}  // namespace recount::tools
