// A real process, started, watched and killed by a test.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace engram::test {

/// The child's standard output and error go to one pipe that wait_for_line() reads; what was read is kept.
/// The child is killed when this goes.
class child_process {
public:
    /// `arguments[0]` is the program. `environment` is added to this process's. Throws std::runtime_error.
    explicit child_process(std::vector<std::string> arguments,
                           std::map<std::string, std::string> environment = {});
    ~child_process();
    child_process(child_process const&) = delete;
    child_process& operator=(child_process const&) = delete;

    /// Reads output until a line holds `text`. Throws std::runtime_error, with all output, when the child
    /// ends or `limit` is over.
    std::string wait_for_line(std::string const& text, std::chrono::seconds limit = std::chrono::seconds(60));

    void signal(int number) const;

    /// Waits for the end: the exit status, or 128 + the signal. Throws std::runtime_error after `limit`.
    int wait(std::chrono::seconds limit = std::chrono::seconds(60));

    void close_input();
    void write_input(std::string const& text);

    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] std::string const& output() const { return output_; }

private:
    bool read_some(std::chrono::steady_clock::time_point until);

    pid_t pid_ = -1;
    int output_pipe_ = -1;
    int input_pipe_ = -1;
    std::string output_;
    std::size_t searched_ = 0;
    std::optional<int> status_;
};

}  // namespace engram::test
