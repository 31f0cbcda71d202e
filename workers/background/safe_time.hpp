// Whether the clocks may be relied on to delete what has had its time.
#pragma once

#include "base/clock.hpp"
#include "store/upkeep.hpp"

#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace engram::workers {

/// The present time for whoever deletes by age, or none while that time may be wrong: what is deleted does
/// not come back when the clock is right again.
///
/// The time is the earlier one of this machine's clock and Redis's. There is none
/// - until `settle` of steady time has passed since the start, and since either clock last jumped;
/// - until 24 times `settle` has, while the time is more than a week later than it should be: by the newest
///   row of the database at the start, later by the last time that was relied on, and the steady time since;
/// - while the two clocks differ by more than five minutes, or Redis does not answer.
/// Several coroutines may ask at a time. All calls from one executor; what it refers to must outlive it.
class safe_time {
public:
    /// Redis's time; none: it does not answer.
    using redis_time = std::function<boost::asio::awaitable<std::optional<base::wall_time>>()>;

    /// The time since which the process runs is that of this call.
    safe_time(base::clock const& clock, redis_time redis, store::upkeep& store,
              std::chrono::milliseconds settle);

    boost::asio::awaitable<std::optional<base::wall_time>> now();

    /// Why there was none when it was last asked for; empty: there was one.
    [[nodiscard]] std::string const& why_not() const { return why_not_; }
    /// What an operator has to set right; empty: nothing.
    [[nodiscard]] std::string const& trouble() const { return trouble_; }
    /// This machine's clock is behind what is stored: nothing should be stored with an earlier time than
    /// this. None: it is not.
    [[nodiscard]] std::optional<base::wall_time> not_before() const { return not_before_; }

private:
    struct reading {
        base::steady_time steady;
        base::wall_time own, redis;
        [[nodiscard]] base::wall_time earlier() const { return own < redis ? own : redis; }
    };
    enum class doubt { none, no_answer, differ, started, jumped, too_late };

    std::optional<base::wall_time> judge(reading now);
    void notice_jumps(reading const& now);
    void look_behind(reading const& now);
    [[nodiscard]] std::chrono::milliseconds ahead(reading const& now) const;
    std::nullopt_t refuse(doubt kind, std::string why);

    base::clock const& clock_;
    redis_time redis_;
    store::upkeep& store_;
    std::chrono::milliseconds settle_;
    base::steady_time unsettled_since_;      // the start, or the last jump
    std::string unsettled_by_;               // the jump; empty: the start
    bool has_asked_store_ = false;           // for newest_
    std::optional<base::wall_time> newest_;  // row in the store at the start
    std::optional<reading> last_;
    // The time that is known to have come, and when that was; none: nothing is known.
    std::optional<base::wall_time> known_;
    base::steady_time known_at_;
    doubt told_ = doubt::none;
    std::string why_not_, trouble_;
    std::optional<base::wall_time> not_before_;
};

/// The clock for what is stored: this machine's, but never before a time that is known to be over. What is
/// written while the clock is years behind would else expire at once when the clock is set right.
class stored_clock : public base::clock {
public:
    [[nodiscard]] base::wall_time wall() const override;
    void set_floor(std::optional<base::wall_time> not_before);

private:
    std::atomic<std::int64_t> floor_ms_{0};
};

}  // namespace engram::workers
