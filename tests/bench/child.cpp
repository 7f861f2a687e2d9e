#include "bench/child.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace recount::bench {

Child::Child(const std::vector<std::string>& arguments) {
    std::array<int, 2> in{}, out{};
    if (pipe2(in.data(), O_CLOEXEC) != 0 || pipe2(out.data(), O_CLOEXEC) != 0) {
        throw std::runtime_error("no pipe for a child");
    }
    std::vector<std::string> words{"/proc/self/exe"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, out[1], STDOUT_FILENO);
    const int failed =
        posix_spawn(&pid_, "/proc/self/exe", &files, nullptr, pointers.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    close(in[0]);
    close(out[1]);
    to_ = fdopen(in[1], "w");
    from_ = fdopen(out[0], "r");
    if (failed != 0) throw std::runtime_error("a child could not be started");
}

Child::~Child() {
    std::fclose(to_);
    std::fclose(from_);
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
}

void Child::say(const std::string& line) {
    std::fprintf(to_, "%s\n", line.c_str());
    std::fflush(to_);
}

std::string Child::hear() {
    std::string line;
    for (int letter = std::fgetc(from_); letter != '\n'; letter = std::fgetc(from_)) {
        if (letter == EOF) throw std::runtime_error("a child ended early");
        line.push_back(static_cast<char>(letter));
    }
    return line;
}

}  // namespace recount::bench
