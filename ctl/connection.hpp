// Redis for a command line program: one call at a time, in plain blocking style.
#pragma once

#include "base/task_group.hpp"
#include "queue/options.hpp"
#include "queue/redis.hpp"
#include "queue/script.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engram::ctl {

class connection {
public:
    /// Throws std::invalid_argument or std::runtime_error for an address that cannot be used.
    explicit connection(queue::redis_options options);
    ~connection();
    connection(connection const&) = delete;
    connection& operator=(connection const&) = delete;

    /// Runs one command. `patience` is how long Redis may block on purpose. `on_tick`, if set, is called
    /// about eight times a second while it waits.
    [[nodiscard]] queue::redis_result<queue::redis_value> call(std::vector<std::string_view> arguments,
                                                               std::chrono::milliseconds patience = {},
                                                               std::function<void()> on_tick = {});

    /// Runs one of the queue's scripts in the same way.
    [[nodiscard]] queue::redis_result<queue::redis_value> run(queue::script const& script,
                                                              std::string_view key,
                                                              std::vector<std::string> const& arguments);

    [[nodiscard]] std::string address() const { return redis_.address().to_text(); }

private:
    queue::redis_result<queue::redis_value> finish(
        std::optional<queue::redis_result<queue::redis_value>>& got, std::function<void()> const& on_tick);

    boost::asio::io_context io_{1};
    queue::redis redis_;
    base::task_group tasks_;
};

}  // namespace engram::ctl
