// One summary: the oldest turns of a long conversation, condensed by a cheaper model.
#pragma once

#include "base/clock.hpp"
#include "base/repeated.hpp"
#include "claude/client.hpp"
#include "store/patience.hpp"
#include "store/summaries.hpp"
#include "workers/background/backlog.hpp"
#include "workers/background/summary_status.hpp"
#include "workers/options.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace engram::workers {

/// Makes the summary of one conversation. Exactly one process works on a conversation at a time (a lease in
/// the store, renewed while the call runs), and the store takes a summary only if none of its turns has left
/// the window meanwhile. If the conversation's earlier summaries have outgrown their room, the oldest become
/// one first; a crash between the two leaves the conversation due, and if that fails its turns are summarized
/// all the same.
///
/// All calls from one executor; what it refers to must outlive it. Must outlive its coroutines.
class summarizer {
public:
    /// After a crash, nobody takes the conversation before this is over.
    static constexpr std::chrono::milliseconds lease{15'000};
    /// Turns that stay out of the summary of a conversation whose turns are long: the last exchange.
    static constexpr std::size_t kept_by_size = 2;

    /// `owner` is unique to this process.
    summarizer(summary_options options, std::string owner, store::summaries& store, claude::asker& claude,
               base::clock const& clock, boost::asio::any_io_executor executor);

    /// Returns when the summary is stored, or is not to be had now; that has been logged and counted. If it
    /// is cancelled it gives the conversation back before it throws.
    /// `by_size`: its turns are long, so that fewer of them stay out of the summary.
    boost::asio::awaitable<void> summarize(store::conversation which, bool by_size = false);

    /// From the next summary on.
    void set_options(summary_options options) { options_ = std::move(options); }

    [[nodiscard]] summary_counts const& counts() const { return counts_; }

private:
    boost::asio::awaitable<void> write_summary(store::summary_task task);
    boost::asio::awaitable<void> condense(store::summary_task& task);
    boost::asio::awaitable<claude::result<claude::answer>> ask_keeping_lease(store::summary_task const& task,
                                                                             claude::request request);
    boost::asio::awaitable<claude::result<claude::answer>> call_keeping_lease(store::summary_task const& task,
                                                                              claude::request request);
    boost::asio::awaitable<void> give_back_and_stop(store::summary_task const& task);
    boost::asio::awaitable<claude::result<claude::answer>> ask_until_it_fits(store::summary_task const& task);
    [[nodiscard]] std::chrono::milliseconds pause_after(store::conversation const& which, bool hopeless);
    boost::asio::awaitable<std::optional<std::string>> ask_for_summary(store::summary_task const& task);
    boost::asio::awaitable<void> give_back(store::summary_task task, base::wall_time not_before);
    boost::asio::awaitable<void> keep_lease(store::summary_task const& task);

    summary_options options_;
    std::string owner_;
    store::summaries& store_;
    claude::asker& claude_;
    base::clock const& clock_;
    boost::asio::any_io_executor executor_;
    store::patience patience_;
    // Failures since the last success.
    std::unordered_map<store::conversation, unsigned, conversation_hash> failures_;
    base::repeated unclaimed_, unrenewed_;
    summary_counts counts_;
};

}  // namespace engram::workers
