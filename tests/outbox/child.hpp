#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace recount::test {

/// A program of ours in a process of its own; killed, at the latest, when the object goes.
class Child {
public:
    explicit Child(const std::vector<std::string>& command);
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    void signal(int number) const;
    /// SIGKILL, and waits for the end.
    void kill();
    [[nodiscard]] bool running();
    /// Waits for its end: what it returned, or -1 when a signal ended it.
    int wait();

private:
    pid_t pid_ = -1;
};

}  // namespace recount::test
