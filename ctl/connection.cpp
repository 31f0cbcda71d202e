#include "ctl/connection.hpp"

#include <boost/asio/post.hpp>

#include <stdexcept>
#include <utility>

namespace engram::ctl {

namespace asio = boost::asio;
using answer = redis::result<redis::value>;

namespace {

constexpr std::chrono::milliseconds tick{125};

asio::awaitable<void> run_command(redis::client& redis, std::vector<std::string_view> arguments,
                                  std::chrono::milliseconds patience, std::optional<answer>& into) {
    auto got = co_await redis.command(std::move(arguments), patience);
    into.emplace(std::move(got));
}

asio::awaitable<void> run_script(redis::client& redis, redis::script const& script, std::string_view key,
                                 std::vector<std::string> const& arguments, std::optional<answer>& into) {
    auto got = co_await script.run(redis, key, arguments);
    into.emplace(std::move(got));
}

}  // namespace

connection::connection(redis::options options)
    : redis_(std::move(options), "engramctl", io_.get_executor()), tasks_(io_.get_executor()) {
    tasks_.spawn("redis", redis_.run());
}

connection::~connection() {
    boost::asio::post(io_, [this] { tasks_.cancel(); });  // inside the loop, as cancel() requires
    while (tasks_.size() > 0 && io_.run_one() > 0)
        continue;
}

answer connection::call(std::vector<std::string_view> arguments, std::chrono::milliseconds patience,
                        std::function<void()> on_tick) {
    std::optional<answer> got;
    tasks_.spawn("command", run_command(redis_, std::move(arguments), patience, got));
    return finish(got, on_tick);
}

answer connection::run(redis::script const& script, std::string_view key,
                       std::vector<std::string> const& arguments) {
    std::optional<answer> got;
    tasks_.spawn("script", run_script(redis_, script, key, arguments, got));
    return finish(got, {});
}

// Turns the loop until the task has left its answer, which lives in the caller's frame.
answer connection::finish(std::optional<answer>& got, std::function<void()> const& on_tick) {
    auto const failures = tasks_.failures();
    while (!got) {
        io_.run_one_for(tick);
        if (tasks_.failures() != failures) throw std::runtime_error("talking to Redis failed unexpectedly");
        if (on_tick) on_tick();
    }
    return std::move(*got);
}

}  // namespace engram::ctl
