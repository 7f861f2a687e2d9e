#pragma once

namespace recount::tools {

/// While it lives, Ctrl-C ends what the program does rather than the program. One at a time.
class Interrupt {
public:
    Interrupt();
    ~Interrupt();
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;

    [[nodiscard]] static bool happened();

private:
    void (*before_)(int);
};

}  // namespace recount::tools
