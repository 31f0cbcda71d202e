// What the provider allows, shared with the other daemons on the same key.
#pragma once

#include "claude/client.hpp"
#include "queue/pace.hpp"
#include "redis/client.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <vector>

namespace engram::daemon {

/// About once a second, while a limit is near and calls are wanted: tells Redis what the client knows, and
/// gives the client the permits that come back. Otherwise it asks Redis nothing.
///
/// All calls from one executor; must outlive its coroutine.
class pace_share {
public:
    /// As queue::job_queue::share_pace.
    using exchange = std::function<boost::asio::awaitable<redis::result<std::vector<queue::pace_grant>>>(
        std::vector<queue::pace_report>)>;
    pace_share(claude::client& claude, exchange exchange, boost::asio::any_io_executor executor);

    /// Runs until cancelled.
    boost::asio::awaitable<void> run();
    /// One exchange; whether anything was told. Throws on cancellation.
    boost::asio::awaitable<bool> share();

private:
    claude::client& claude_;
    exchange exchange_;
    boost::asio::any_io_executor executor_;
};

}  // namespace engram::daemon
