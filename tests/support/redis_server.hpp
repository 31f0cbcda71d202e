// A real redis-server of the test's own.
#pragma once

#include "support/child_process.hpp"
#include "support/temporary_folder.hpp"

#include <hiredis.h>

#include <memory>
#include <string>
#include <vector>

namespace engram::test {

/// Listens on a Unix socket in a temporary folder; keeps an append-only file, so that it can be killed and
/// restarted.
class redis_server {
public:
    /// `options` are added to its command line. Returns when it accepts connections.
    explicit redis_server(std::vector<std::string> options = {});

    [[nodiscard]] std::string url() const { return "unix://" + socket(); }
    [[nodiscard]] std::string socket() const { return (folder_.path() / "redis.sock").string(); }
    [[nodiscard]] std::filesystem::path const& folder() const { return folder_.path(); }

    void start();
    void kill();
    void signal(int number) const { process_->signal(number); }

    /// One command over a connection of its own client; throws std::runtime_error if it cannot be sent.
    /// An array comes back as its elements' texts, one a line; nil as "(nil)"; an error as "(error) …".
    std::string command(std::vector<std::string> const& arguments);

private:
    temporary_folder folder_;
    std::vector<std::string> options_;
    std::unique_ptr<child_process> process_;
    std::unique_ptr<redisContext, void (*)(redisContext*)> client_{nullptr, redisFree};
};

}  // namespace engram::test
