#include "support/child_process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace engram::test {

using std::chrono::steady_clock;

namespace {

int remaining_ms(steady_clock::time_point until) {
    auto const left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - steady_clock::now()).count();
    return int(std::clamp<long long>(left, 0, 1'000'000));
}

}  // namespace

child_process::child_process(std::vector<std::string> arguments,
                             std::map<std::string, std::string> environment) {
    int out[2];
    int in[2];
    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(in, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    std::vector<char*> argv;
    for (auto& argument : arguments)
        argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_ = fork();
    if (pid_ < 0) throw std::runtime_error("no process");
    if (pid_ == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);  // no test leaves a server behind
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        dup2(out[1], STDERR_FILENO);
        for (auto const& [name, value] : environment)
            setenv(name.c_str(), value.c_str(), 1);
        execvp(argv[0], argv.data());
        dprintf(STDERR_FILENO, "cannot run %s: %s\n", argv[0], std::strerror(errno));
        _exit(127);
    }
    close(out[1]);
    close(in[0]);
    output_pipe_ = out[0];
    input_pipe_ = in[1];
}

child_process::~child_process() {
    if (!status_) {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    close_input();
    close(output_pipe_);
}

void child_process::signal(int number) const {
    kill(pid_, number);
}

void child_process::close_input() {
    if (input_pipe_ >= 0) close(input_pipe_);
    input_pipe_ = -1;
}

void child_process::write_input(std::string const& text) {
    std::string_view rest = text;
    while (!rest.empty()) {
        auto const n = write(input_pipe_, rest.data(), rest.size());
        if (n < 0) throw std::runtime_error("the child does not read its input");
        rest.remove_prefix(std::size_t(n));
    }
}

// False at the end of the output or of the time.
bool child_process::read_some(steady_clock::time_point until) {
    pollfd wanted{output_pipe_, POLLIN, 0};
    if (poll(&wanted, 1, remaining_ms(until)) <= 0) return false;
    std::array<char, 4096> buffer;
    auto const n = read(output_pipe_, buffer.data(), buffer.size());
    if (n <= 0) return false;
    output_.append(buffer.data(), std::size_t(n));
    return true;
}

std::string child_process::wait_for_line(std::string const& text, std::chrono::seconds limit) {
    auto const until = steady_clock::now() + limit;
    for (;;) {
        for (auto end = output_.find('\n', searched_); end != std::string::npos;
             end = output_.find('\n', searched_)) {
            auto line = output_.substr(searched_, end - searched_);
            searched_ = end + 1;
            if (line.find(text) != std::string::npos) return line;
        }
        if (!read_some(until))
            throw std::runtime_error("no line with \"" + text + "\" came; the output was:\n" + output_);
    }
}

int child_process::wait(std::chrono::seconds limit) {
    if (status_) return *status_;
    auto const until = steady_clock::now() + limit;
    while (read_some(until))
        continue;  // until the child and its heirs have closed the pipe
    int const handle = int(syscall(SYS_pidfd_open, pid_, 0));
    pollfd ended{handle, POLLIN, 0};
    bool const over = handle >= 0 && poll(&ended, 1, remaining_ms(until)) > 0;
    if (handle >= 0) close(handle);
    if (!over) throw std::runtime_error("the process does not end; its output was:\n" + output_);
    int status = 0;
    waitpid(pid_, &status, 0);
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return *status_;
}

}  // namespace engram::test
