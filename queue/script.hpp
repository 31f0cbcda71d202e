// The queue's Lua scripts (queue/scripts/*.lua), compiled in.
#pragma once

#include "queue/redis_value.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace engram::queue {

class redis;

/// One script with its SHA-1, by which Redis knows it after the first time.
class script {
public:
    explicit script(std::string_view body);

    /// Runs it; sends the whole text if Redis does not know it (any more). Errors as redis::command.
    /// `arguments` must live until it returns.
    boost::asio::awaitable<redis_result<redis_value>> run(redis& connection, std::string_view key,
                                                          std::vector<std::string> const& arguments) const;

    [[nodiscard]] std::string_view body() const { return body_; }

private:
    std::string body_;
    std::string sha1_;
};

struct scripts {
    script take, finish, release, heartbeat, reconcile, leave, dead_retry;
    script admin_take, admin_finish, admin_release;
    script user_jobs, cancel, dead_without;
};

[[nodiscard]] scripts const& all_scripts();

}  // namespace engram::queue
