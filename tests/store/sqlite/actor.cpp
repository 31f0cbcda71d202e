#include "actor.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace engram::store::test {

actor::actor(std::vector<std::string> const& words) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    std::string program = STORE_ACTOR;
    std::vector<char*> arguments{program.data()};
    auto copies = words;
    for (auto& word : copies)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    int const failed =
        ::posix_spawn(&process_, program.c_str(), &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    output_ = ::fdopen(ends[0], "r");
    if (failed != 0) throw std::runtime_error("cannot run " + program);
}

actor::~actor() {
    kill();
    if (output_ != nullptr) std::fclose(output_);
}

std::string actor::line() {
    std::string text;
    for (int c = std::fgetc(output_); c != EOF && c != '\n'; c = std::fgetc(output_))
        text += static_cast<char>(c);
    return text;
}

std::vector<std::string> actor::lines() {
    std::vector<std::string> all;
    for (auto text = line(); !text.empty(); text = line())
        all.push_back(text);
    return all;
}

void actor::kill() {
    if (process_ <= 0) return;
    ::kill(process_, SIGKILL);
    wait();
}

int actor::stop() {
    if (process_ > 0) ::kill(process_, SIGTERM);
    return wait();
}

int actor::wait() {
    if (process_ <= 0) return -1;
    int status = 0;
    ::waitpid(process_, &status, 0);
    process_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace engram::store::test
