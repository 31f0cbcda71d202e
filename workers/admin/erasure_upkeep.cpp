#include "workers/admin/erasure_upkeep.hpp"

#include "base/log.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace engram::workers {

namespace asio = boost::asio;

erasure_upkeep::erasure_upkeep(erasure_upkeep_options options, store::memories& store, admin& requests,
                               base::clock const& clock, asio::any_io_executor executor)
    : options_(options),
      store_(store),
      requests_(requests),
      clock_(clock),
      executor_(executor),
      tasks_(std::move(executor)) {}

void erasure_upkeep::start() {
    tasks_.keep_up("erasures", [this] { return run(); });
}

asio::awaitable<void> erasure_upkeep::stop() {
    co_await tasks_.stop();
}

void erasure_upkeep::tell(store::error const& why) {
    if (auto const untold = failures_.tell(why.message, clock_.steady()))
        base::log_warn("erasures that are to be finished could not be looked for; it will be tried again",
                       {{"error", why.message}, {"repeated", *untold}});
}

asio::awaitable<void> erasure_upkeep::run() {
    asio::steady_timer timer(executor_);
    for (;;) {
        auto const now = clock_.wall();
        auto due = co_await store_.claim_erasure(now, now + options_.claim);
        if (due && *due) {
            co_await requests_.finish_erasure(std::move(**due));
            continue;
        }
        if (!due) tell(due.error());
        timer.expires_after(options_.look);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

}  // namespace engram::workers
