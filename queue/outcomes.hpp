// How the jobs of the last minute ended. Pure.
#pragma once

#include "base/clock.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace engram::queue {

struct recent_outcomes {
    std::uint32_t ok = 0, failed = 0;
    std::uint32_t delayed = 0;  ///< tries that were put off for later
    std::string last_error;     ///< of a job that failed; without a word of a user's
    std::string last_delay;     ///< why a try was put off

    /// So many fail that whoever looks must not be told that jobs are answered.
    [[nodiscard]] bool mostly_fail() const { return failed >= 3 && failed > ok; }
};

/// Counts by pieces of five seconds: what is told is of the last 55 to 60 s.
class outcome_counts {
public:
    void answered(base::steady_time now);
    /// `why`: for the log and the status. `count`: how many jobs.
    void failed(std::string why, base::steady_time now, std::uint32_t count = 1);
    void delayed(std::string why, base::steady_time now);

    [[nodiscard]] recent_outcomes recent(base::steady_time now) const;

private:
    struct piece {
        std::int64_t number = -1;  // since the clock's beginning
        std::uint32_t ok = 0, failed = 0, delayed = 0;
    };
    piece& at(base::steady_time now);

    std::array<piece, 12> pieces_{};
    std::string last_error_, last_delay_;
};

}  // namespace engram::queue
