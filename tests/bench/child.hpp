#pragma once

#include <sys/types.h>

#include <cstdio>
#include <string>
#include <vector>

namespace recount::bench {

/// This program started once more, with other arguments, and lines exchanged with it. Ends with it:
/// the destructor waits. One thread.
class Child {
public:
    explicit Child(const std::vector<std::string>& arguments);
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    void say(const std::string& line);
    /// Throws when the child has ended.
    std::string hear();

private:
    pid_t pid_ = 0;
    std::FILE* to_ = nullptr;
    std::FILE* from_ = nullptr;
};

}  // namespace recount::bench
