// That this instance lives, as Redis and the other daemons see it.
#pragma once

#include "base/event.hpp"
#include "base/repeated.hpp"
#include "queue/job_calls.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace engram::queue {

/// The name of this instance and its lease, renewed by heartbeats.
///
/// States: open (not registered; the next beat registers) → in doubt (asked, and not heard of: to be left,
/// too) → held (registered) → open again under a new name when it was taken for dead → left. While another
/// database serves the queue it stays open, or becomes so: then each beat asks again. What it refers to must
/// outlive it. All calls from one executor.
class lease {
public:
    struct beat {
        bool counts = false;  ///< false: it was about an earlier incarnation, or this instance is leaving
        bool passed = false;
        bool first = false;  ///< this instance is registered by it
        /// It was taken for dead, or another database has come to serve the queue: call begin_anew().
        bool lost = false;
        std::int64_t taken_back = 0;
        std::int64_t owned = 0;
        std::int64_t woken = 0;
        std::int64_t cancels = 0;
        bool paused = false;
    };

    lease(options const& options, redis::client& connection, job_calls& calls,
          boost::asio::any_io_executor executor);

    /// Registers or renews. `report`: what this instance says of itself, JSON. Throws on cancellation alone.
    boost::asio::awaitable<beat> renew(std::string report);
    /// How long to wait before the next.
    [[nodiscard]] std::chrono::milliseconds pause() const;
    /// Warns of settings by which Redis may lose what it is given; asks only after a new connection, since
    /// after a failover it may be another server.
    boost::asio::awaitable<void> check_server();

    /// Takes a new name.
    void begin_anew();
    /// Gives back all that this instance still has, or lets its lease end by itself if Redis is not there
    /// within some seconds. A beat that registers and is under way ends first.
    boost::asio::awaitable<void> leave();

    [[nodiscard]] std::string const& instance() const { return instance_; }
    [[nodiscard]] bool is_held() const { return held_; }
    /// Another database than this instance's serves the queue.
    [[nodiscard]] bool meets_other_database() const { return meets_other_database_; }
    /// Why it could not be renewed; empty if it was.
    [[nodiscard]] trouble_note& trouble() { return trouble_; }
    [[nodiscard]] trouble_note const& trouble() const { return trouble_; }

private:
    void note_other_database(std::string_view theirs);

    options const& options_;
    redis::client& connection_;
    job_calls& calls_;
    std::string instance_;
    std::string previous_;  // the one before, which others may not know of
    bool held_ = false;
    bool maybe_registered_ = false;  // held, or in doubt
    bool beating_ = false;           // a beat is under way
    bool leaving_ = false;           // beats no longer matter
    bool meets_other_database_ = false;
    base::repeated told_of_other_database_{std::chrono::hours(1)};
    base::event beaten_;
    std::uint64_t greeted_generation_ = 0;      // of the connection, when a beat first passed
    std::uint64_t checked_generation_ = 0;      // of the connection
    std::vector<std::string> risks_, remarks_;  // told already
    trouble_note trouble_{"the queue"};
};

}  // namespace engram::queue
