// Inside of admin: calls that may have to be repeated.
#pragma once

#include "base/deadline.hpp"
#include "workers/admin/admin.hpp"

#include <algorithm>
#include <utility>

namespace engram::workers {

template <class T, class Call>
boost::asio::awaitable<admin::checked<T>> admin::insist(Call const& call) {
    auto tried = co_await base::with_deadline(clock_.steady() + rules_.patience, patience_.insist(call));
    if (!tried) {
        auto const& trouble = patience_.trouble();
        co_return failure_of(
            {store::error_kind::unavailable, trouble.empty() ? "it does not answer" : trouble});
    }
    if (!*tried) co_return failure_of(tried->error());
    co_return std::move(**tried);
}

template <class T, class Call>
boost::asio::awaitable<admin::checked<T>> admin::insist_on_redis(Call const& call) {
    auto const until = clock_.steady() + rules_.patience;
    std::chrono::milliseconds pause{100};
    for (;;) {
        auto tried = co_await call();
        if (tried) co_return std::move(*tried);
        if (!tried.error().leaves_doubt() || clock_.steady() + pause > until)
            co_return failure{failure_kind::internal, "Redis could not be asked: " + tried.error().message,
                              true};
        boost::asio::steady_timer timer(executor_, pause);
        co_await timer.async_wait(boost::asio::use_awaitable);
        pause = std::min(pause * 2, std::chrono::milliseconds{2'000});
    }
}

}  // namespace engram::workers
