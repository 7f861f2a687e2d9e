#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "temporary_file.hpp"

namespace shop::test {

/// The shop's program, running. Ended hard with the object when it still runs.
class ShopProgram {
public:
    ShopProgram(const std::vector<std::string>& arguments, const std::filesystem::path& folder)
        : out_(folder / "out.txt"), error_(folder / "error.txt") {
        std::vector<std::string> all{SHOP_PROGRAM};
        all.insert(all.end(), arguments.begin(), arguments.end());
        std::vector<char*> pointers;
        for (std::string& argument : all) pointers.push_back(argument.data());
        pointers.push_back(nullptr);

        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        const int flags = O_CREAT | O_WRONLY | O_TRUNC;
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out_.c_str(), flags, 0600);
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, error_.c_str(), flags, 0600);
        const int failed =
            posix_spawn(&pid_, SHOP_PROGRAM, &actions, nullptr, pointers.data(), environ);
        posix_spawn_file_actions_destroy(&actions);
        if (failed != 0) throw std::runtime_error("cannot start " SHOP_PROGRAM);
    }
    ~ShopProgram() {
        if (pid_ > 0) {
            signal(SIGKILL);
            wait();
        }
    }
    ShopProgram(const ShopProgram&) = delete;
    ShopProgram& operator=(const ShopProgram&) = delete;

    void signal(int number) const { kill(pid_, number); }
    /// True when it has ended by itself.
    bool ended() {
        if (pid_ > 0 && waitpid(pid_, &status_, WNOHANG) == pid_) pid_ = 0;
        return pid_ == 0;
    }
    /// The exit code; 256 when a signal ended it.
    int wait() {
        if (pid_ > 0) waitpid(pid_, &status_, 0);
        pid_ = 0;
        return WIFEXITED(status_) ? WEXITSTATUS(status_) : 256;
    }
    [[nodiscard]] std::string out() const { return read_file(out_); }
    [[nodiscard]] std::string error() const { return read_file(error_); }

private:
    std::filesystem::path out_, error_;
    pid_t pid_ = 0;
    int status_ = 0;
};

}  // namespace shop::test
