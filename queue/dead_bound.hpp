// The bound of the dead letters.
#pragma once

#include "base/clock.hpp"
#include "queue/options.hpp"
#include "queue/trouble_note.hpp"
#include "redis/client.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

namespace engram::queue {

struct dropped_letters {
    std::uint64_t too_old = 0;
    std::uint64_t too_many = 0;
};

/// Drops the oldest letters of P:dead while there are more than options.dead_max_count or while they are
/// older than options.dead_max_age; never one that is within both. What it refers to must outlive it. All
/// calls from one executor.
class dead_bound {
public:
    /// The present time; none: it is not known for sure.
    using present_time = std::function<boost::asio::awaitable<std::optional<base::wall_time>>()>;

    dead_bound(options const& options, redis::client& connection);

    /// No letter counts as older than it is by this time, too, and none as too old while there is none.
    /// Without it Redis's clock alone counts. Before keep().
    void trust(present_time now) { now_ = std::move(now); }

    /// Whether there is a bound at all.
    [[nodiscard]] bool is_set() const;
    /// Looks at once and then each minute, until cancelled.
    boost::asio::awaitable<void> keep();
    /// Looks once. Each call of Redis drops a bounded number. Returns what was dropped, also if it failed on
    /// the way; why it failed is in trouble().
    boost::asio::awaitable<dropped_letters> look();

    /// By this instance, so far.
    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
    [[nodiscard]] trouble_note& trouble() { return trouble_; }
    [[nodiscard]] trouble_note const& trouble() const { return trouble_; }

private:
    options const& options_;
    redis::client& connection_;
    present_time now_;
    std::uint64_t dropped_ = 0;
    trouble_note trouble_{"the bound of the dead letters"};
};

}  // namespace engram::queue
