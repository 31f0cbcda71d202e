// The low-priority pool: long sessions are condensed by a cheaper model, off the path of every reply.
#pragma once

#include "base/clock.hpp"
#include "base/event.hpp"
#include "base/task_group.hpp"
#include "claude/client.hpp"
#include "claude/gate.hpp"
#include "store/patience.hpp"
#include "store/summaries.hpp"
#include "workers/options.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

namespace engram::workers {

struct summary_status {
    std::size_t waiting = 0;
    std::size_t running = 0;
    std::uint64_t written = 0;
    std::uint64_t failed = 0;     ///< given back, to be tried again
    std::uint64_t discarded = 0;  ///< another process was first
};

/// Summarizes sessions that have grown past `trigger_turns`. A session comes here from a commit, or from a
/// search of the database at the start and every `sweep`, which finds what a crash or a failure left behind.
/// Exactly one process works on a session at a time (a lease in the store, renewed while the call runs), and
/// the store takes a summary only if none of its turns has left the window meanwhile.
///
/// All calls from one executor; what it refers to must outlive it. Must outlive its tasks: stop() before it
/// goes.
class summarizer {
public:
    /// `owner` is unique to this process.
    summarizer(summary_options options, std::string owner, store::summaries& store, claude::asker& claude,
               claude::gate const& gate, base::clock const& clock, boost::asio::any_io_executor executor);

    void start();
    /// Cancels what runs; a session that was under way is found again later.
    boost::asio::awaitable<void> stop();

    /// After a commit. Returns at once.
    void consider(store::conversation const& which, std::size_t window_turns);

    /// From the next summary on; the number of workers stays.
    void set_options(summary_options options);

    [[nodiscard]] summary_status status() const;

private:
    boost::asio::awaitable<void> work();
    boost::asio::awaitable<void> sweep();
    boost::asio::awaitable<void> summarize(store::conversation which);
    boost::asio::awaitable<void> write_summary(store::summary_task task);
    boost::asio::awaitable<claude::result<claude::answer>> ask_keeping_lease(store::summary_task const& task);
    boost::asio::awaitable<void> give_back_and_stop(store::summary_task const& task);
    [[nodiscard]] std::chrono::milliseconds pause_after(store::conversation const& which, bool hopeless);
    boost::asio::awaitable<std::optional<std::string>> ask_for_summary(store::summary_task const& task);
    boost::asio::awaitable<void> give_back(store::summary_task task, base::wall_time not_before);
    boost::asio::awaitable<void> keep_lease(store::summary_task const& task);
    [[nodiscard]] bool enqueue(store::conversation const& which);

    summary_options options_;
    std::string owner_;
    store::summaries& store_;
    claude::asker& claude_;
    claude::gate const& gate_;
    base::clock const& clock_;
    boost::asio::any_io_executor executor_;
    store::patience patience_;
    base::task_group tasks_;
    base::event work_;
    std::deque<store::conversation> waiting_;             // no conversation twice
    std::unordered_map<std::string, unsigned> failures_;  // by user and session, since the last success
    summary_status counts_;
};

}  // namespace engram::workers
