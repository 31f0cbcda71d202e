// A full disk or a busy database is a state, not the end of a job.
#pragma once

#include "base/backoff.hpp"
#include "base/log.hpp"
#include "store/types.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <string>
#include <utility>

namespace engram::store {

/// Tries a store call again, with growing pauses, for as long as the store is unavailable; other errors come
/// back. Logs when the trouble begins and when it is over, not each time. Throws on cancellation.
class patience {
public:
    explicit patience(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

    /// `call()` returns the awaitable of one try. It must stay valid until this returns.
    template <class Call>
    auto insist(Call const& call) -> decltype(call()) {
        base::backoff pauses(std::chrono::milliseconds{100}, std::chrono::milliseconds{5'000});
        for (;;) {
            auto outcome = co_await call();
            if (outcome || outcome.error().kind != error_kind::unavailable) {
                if (outcome) over();
                co_return outcome;
            }
            begun(outcome.error().message);
            boost::asio::steady_timer timer(executor_, pauses.next());
            co_await timer.async_wait(boost::asio::use_awaitable);
        }
    }

    /// Why the store cannot be used; empty if it can.
    [[nodiscard]] std::string const& trouble() const { return trouble_; }

private:
    void begun(std::string const& message) {
        if (trouble_.empty())
            base::log_error("the store cannot be used: jobs wait until it can", {{"error", message}});
        trouble_ = message;
    }
    void over() {
        if (trouble_.empty()) return;
        base::log_info("the store can be used again", {{"was", trouble_}});
        trouble_.clear();
    }

    boost::asio::any_io_executor executor_;
    std::string trouble_;
};

}  // namespace engram::store
