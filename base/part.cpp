#include "base/part.hpp"

#include "base/backoff.hpp"
#include "base/log.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <utility>

namespace engram::base {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto first_pause = 2s;
constexpr auto longest_pause = 30s;
// A service that ran for this long was well.
constexpr auto long_enough = 60s;

}  // namespace

part::part(asio::any_io_executor executor) : executor_(executor), tasks_(std::move(executor)) {}

void part::keep_up(std::string name, std::function<asio::awaitable<void>()> service) {
    if (stopping_) return;
    auto task = run(name, std::move(service));
    tasks_.spawn(std::move(name), std::move(task));
}

void part::spawn(std::string name, asio::awaitable<void> task) {
    if (stopping_) return;
    tasks_.spawn(std::move(name), std::move(task));
}

asio::awaitable<void> part::run(std::string name, std::function<asio::awaitable<void>()> service) {
    backoff pauses(first_pause, longest_pause);
    for (;;) {
        auto const begun = std::chrono::steady_clock::now();
        std::string why = "it ended by itself";
        try {
            co_await service();
        } catch (boost::system::system_error const& error) {
            if (error.code() == asio::error::operation_aborted) throw;
            why = error.what();
        } catch (std::exception const& error) {
            why = error.what();
        }
        if (stopping_) co_return;  // the cancellation may have been used up by what it ended
        if (std::chrono::steady_clock::now() - begun > long_enough) pauses.reset();
        auto const pause = pauses.next();
        log_error("a part of the daemon failed and begins anew",
                  {{"part", name}, {"error", why}, {"next_try_ms", pause.count()}});
        asio::steady_timer timer(executor_, pause);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

asio::awaitable<void> part::stop() {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    if (!std::exchange(stopping_, true)) tasks_.cancel();
    co_await tasks_.join();
}

}  // namespace engram::base
