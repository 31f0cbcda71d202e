// The low-priority pool: long conversations are condensed by a cheaper model, off the path of every reply.
#pragma once

#include "base/clock.hpp"
#include "base/event.hpp"
#include "base/part.hpp"
#include "base/repeated.hpp"
#include "claude/client.hpp"
#include "claude/gate.hpp"
#include "store/health.hpp"
#include "store/summaries.hpp"
#include "workers/background/backlog.hpp"
#include "workers/background/summarizer.hpp"
#include "workers/background/summary_status.hpp"
#include "workers/chat/window.hpp"
#include "workers/options.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>

namespace engram::workers {

/// Has those conversations summarized that have grown past `trigger_turns` or `trigger_bytes`. A conversation
/// comes here from a commit, or, by the number of its turns alone, from a search of the database at the
/// start, every `sweep`, and when a lease ends that somebody holds on one: whoever held it may have died.
///
/// `workers` always run. While more conversations wait than there are workers, helpers join them, up to
/// `max_workers` together; a helper ends as soon as nothing waits. So the wait settles at about the time of
/// one call, as long as `max_workers` are enough.
///
/// All calls from one executor; what it refers to must outlive it. Starts and stops as base::part says.
class summary_pool {
public:
    /// `owner` is unique to this process.
    summary_pool(summary_options options, std::string owner, store::summaries& store, claude::asker& claude,
                 claude::gate const& gate, base::clock const& clock, boost::asio::any_io_executor executor);

    /// While it is shut nothing begins. Must outlive this. Before start().
    void watch(store::health const& health) { health_ = &health; }

    void start();
    /// Cancels what runs; a conversation that was under way is given back.
    boost::asio::awaitable<void> stop();

    /// After a commit. Returns at once. `window`: what no summary of it covers.
    void consider(store::conversation const& which, window const& window);

    /// Looks at the clock and the gate at once.
    void wake();

    /// From the next summary on; `workers` stays.
    void set_options(summary_options options);

    [[nodiscard]] summary_status status() const;

private:
    boost::asio::awaitable<void> work();
    boost::asio::awaitable<void> help();
    boost::asio::awaitable<void> summarize_next();
    boost::asio::awaitable<void> sweep();
    boost::asio::awaitable<bool> find_due_sessions();
    boost::asio::awaitable<std::optional<base::steady_time>> next_lease_end();
    boost::asio::awaitable<void> rest_until(base::steady_time until);

    void add(store::conversation const& which, std::size_t unseen, bool by_size);
    void grow();
    void warn_of_lag(std::size_t unseen);
    [[nodiscard]] bool has_work() const;
    [[nodiscard]] std::size_t workers() const { return options_.workers + helpers_; }
    [[nodiscard]] std::size_t most_workers() const;

    summary_options options_;
    store::summaries& store_;
    claude::gate const& gate_;
    base::clock const& clock_;
    boost::asio::any_io_executor executor_;
    summarizer summarizer_;
    base::part part_;
    base::event work_;  // something waits
    base::event look_;  // for the sweep: look at the clock
    backlog waiting_;
    std::size_t helpers_ = 0;  // beyond options_.workers
    std::size_t running_ = 0;
    base::steady_time silent_until_{};  // no warning of lag before this
    base::repeated unread_;
    store::health const* health_ = nullptr;  // null: nobody watches
};

}  // namespace engram::workers
