// An end for every wait on the outside.
#pragma once

#include "base/clock.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <optional>
#include <utility>

namespace engram::base {

/// Awaits `operation` until `until`; after that cancels it, waits for its end, and returns nothing. An
/// operation that ends with a value although it was cancelled still counts. What it throws before the
/// deadline is rethrown; cancellation of the caller reaches it. `T` must be default constructible.
///
/// (`operation || timer` will not do: it waits for the first *success*, so a failure would hide behind the
/// timer.)
template <class T>
boost::asio::awaitable<std::optional<T>> with_deadline(steady_time until,
                                                       boost::asio::awaitable<T> operation) {
    namespace asio = boost::asio;
    auto const executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor, until);
    auto group = asio::experimental::make_parallel_group(
        asio::co_spawn(executor, std::move(operation), asio::deferred), timer.async_wait(asio::deferred));
    auto [order, failure, value, timer_error] =
        co_await group.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    bool const timer_first = order[0] == 1 && !timer_error;
    if (!failure) co_return std::optional<T>(std::move(value));
    if (timer_first) co_return std::nullopt;
    std::rethrow_exception(failure);
}

}  // namespace engram::base
