#include "queue/large_calls.hpp"

#include <utility>

namespace engram::queue {

namespace asio = boost::asio;

large_calls::large_calls(redis::options server, asio::any_io_executor executor, base::part& tasks)
    : connection_(std::move(server), "engramd-large", executor), free_(executor), tasks_(tasks) {}

void large_calls::next() {
    busy_ = false;
    free_.notify_one();
}

asio::awaitable<std::optional<large_calls::turn>> large_calls::wait(base::steady_time until) {
    while (busy_) {
        bool const woken = co_await free_.wait_until(until);
        if (!woken && busy_) co_return std::nullopt;
    }
    busy_ = true;
    turn mine(*this);
    if (!begun_) {
        tasks_.keep_up("redis-large", [this] { return connection_.run(); });
        begun_ = true;  // not before: without memory it has not begun
    }
    bool const steady = co_await connection_.wait_until_steady(until);
    if (!steady) co_return std::nullopt;
    co_return std::optional<turn>(std::move(mine));
}

}  // namespace engram::queue
