#include "daemon/pace_share.hpp"

#include "base/chance.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <utility>

namespace engram::daemon {

namespace asio = boost::asio;
using std::chrono::milliseconds;

namespace {

// Of another length each time, so that no two daemons keep step and one of them always comes first.
constexpr double shortest_ms = 1'000, longest_ms = 1'250;

milliseconds next_pause() {
    return milliseconds(std::int64_t(shortest_ms + (longest_ms - shortest_ms) * base::chance()));
}

queue::pace_report for_redis(claude::pace_report&& one) {
    return {std::move(one.model), one.chats,   one.others,  one.soon, one.answered_a_minute,
            one.unused,           one.refused, one.allowed, one.left, one.hold};
}

claude::pace_grant from_redis(queue::pace_grant&& one) {
    return {std::move(one.model), one.calls, one.a_minute};
}

}  // namespace

pace_share::pace_share(claude::client& claude, exchange exchange, asio::any_io_executor executor)
    : claude_(claude), exchange_(std::move(exchange)), executor_(std::move(executor)) {}

asio::awaitable<void> pace_share::run() {
    asio::steady_timer timer(executor_);
    for (;;) {
        timer.expires_after(next_pause());
        co_await timer.async_wait(asio::use_awaitable);
        co_await share();
    }
}

asio::awaitable<bool> pace_share::share() {
    std::vector<queue::pace_report> reports;
    for (auto& one : claude_.pace_reports())
        reports.push_back(for_redis(std::move(one)));
    if (reports.empty()) co_return false;
    auto given = co_await exchange_(std::move(reports));
    if (!given) co_return false;  // the client goes on by itself, slowly
    std::vector<claude::pace_grant> grants;
    for (auto& one : *given)
        grants.push_back(from_redis(std::move(one)));
    claude_.grant(grants);
    co_return true;
}

}  // namespace engram::daemon
