// Redis for a command line program: one call at a time, in plain blocking style.
#pragma once

#include "base/task_group.hpp"
#include "redis/client.hpp"
#include "redis/options.hpp"
#include "redis/script.hpp"

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
    explicit connection(redis::options options);
    ~connection();
    connection(connection const&) = delete;
    connection& operator=(connection const&) = delete;

    /// Runs one command. `patience` is how long Redis may block on purpose. `on_tick`, if set, is called
    /// about eight times a second while it waits.
    [[nodiscard]] redis::result<redis::value> call(std::vector<std::string_view> arguments,
                                                   std::chrono::milliseconds patience = {},
                                                   std::function<void()> on_tick = {});

    /// Runs one of the queue's scripts in the same way.
    [[nodiscard]] redis::result<redis::value> run(redis::script const& script, std::string_view key,
                                                  std::vector<std::string> const& arguments);

    /// There is no connection because the server refuses the password or the user, or wants one.
    [[nodiscard]] bool is_locked_out() const { return redis_.is_locked_out(); }
    [[nodiscard]] bool is_up() const { return redis_.is_up(); }
    [[nodiscard]] std::string address() const { return redis_.address().to_text(); }

private:
    redis::result<redis::value> finish(std::optional<redis::result<redis::value>>& got,
                                       std::function<void()> const& on_tick);

    boost::asio::io_context io_{1};
    redis::client redis_;
    base::task_group tasks_;
};

}  // namespace engram::ctl
