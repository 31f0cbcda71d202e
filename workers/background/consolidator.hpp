// Consolidation in the background: what a user's memories say twice is said once, by a cheaper model.
#pragma once

#include "base/backoff.hpp"
#include "base/clock.hpp"
#include "base/event.hpp"
#include "base/part.hpp"
#include "claude/client.hpp"
#include "claude/gate.hpp"
#include "store/health.hpp"
#include "store/patience.hpp"
#include "store/upkeep.hpp"
#include "workers/background/consolidation.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <unordered_map>

namespace engram::workers {

struct consolidation_status {
    std::uint64_t done = 0;        ///< users whose memories were gone through
    std::uint64_t merged = 0;      ///< memories that ended in a new one
    std::uint64_t superseded = 0;  ///< memories that ended in favour of another one
    std::uint64_t refused = 0;     ///< proposals of the model that were not taken
    std::uint64_t failed = 0;      ///< nothing was changed; to be tried again
    std::uint64_t discarded = 0;   ///< something of the user was erased meanwhile; nothing was changed
};

/// One coroutine, one user at a time, and only while Claude answers: claims a user whose memories have grown,
/// asks, checks the answer, writes what is left of it. Whoever was claimed is not claimed again, here or
/// elsewhere, until the claim's time is over; so nothing has to be given back, and a crash loses one call.
///
/// After a failure the whole loop pauses, and longer each time in a row; a user whose memories made it fail
/// is passed over for longer still, so that the others need not wait for them.
///
/// All calls from one executor; what it refers to must outlive it. Starts and stops as base::part says.
class consolidator {
public:
    consolidator(consolidation_options options, store::upkeep& store, claude::asker& claude,
                 claude::gate const& gate, base::clock const& clock, boost::asio::any_io_executor executor);

    /// While it is shut nothing begins. Must outlive this. Before start().
    void watch(store::health const& health) { health_ = &health; }

    void start();
    /// Cancels what runs; the user who was under way comes again later.
    boost::asio::awaitable<void> stop();

    /// Looks at the clock and the gate at once. Pauses after a failure stay.
    void wake() { look_.notify_all(); }

    /// From the next user on.
    void set_options(consolidation_options options);

    [[nodiscard]] consolidation_status const& status() const { return counts_; }

private:
    struct trouble {
        unsigned failures = 0;
        base::steady_time until{};
    };

    boost::asio::awaitable<void> work();
    [[nodiscard]] std::optional<std::chrono::steady_clock::duration> time_to_wait() const;
    boost::asio::awaitable<void> consolidate_next();
    boost::asio::awaitable<void> consolidate(store::consolidation_task task);
    boost::asio::awaitable<std::optional<consolidation_plan>> ask_for_plan(
        std::string const& user, std::vector<store::memory_record> const& memories);
    boost::asio::awaitable<void> commit(store::consolidation_task task, consolidation_plan plan);
    /// Who is passed over for a while after a failure: nobody, or the user whose memories it has to do with.
    enum class blame { nobody, user };
    void failed(std::string_view user, std::string_view why, blame whom);
    [[nodiscard]] bool is_troubled(std::string const& user) const;

    consolidation_options options_;
    store::upkeep& store_;
    claude::asker& claude_;
    claude::gate const& gate_;
    base::clock const& clock_;
    store::patience patience_;
    store::health const* health_ = nullptr;  // null: nobody watches
    base::part part_;
    base::event look_;
    base::steady_time next_{};                           // no claim before this
    base::backoff pauses_;                               // after failures in a row
    std::unordered_map<std::string, trouble> troubled_;  // by user, since the last success
    consolidation_status counts_;
};

}  // namespace engram::workers
