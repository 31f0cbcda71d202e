// When a job whose call failed is tried again. Pure.
#pragma once

#include "claude/error.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace engram::workers {

/// A call that failed for a reason that passes.
struct failed_call {
    std::chrono::milliseconds failing{};  ///< since the first failure of the job; 0: this is the first
    std::chrono::milliseconds to_deadline{};
    std::optional<std::chrono::milliseconds> wish = {};  ///< how long the server asks to wait
};

enum class give_up { no, patience_over, deadline };

struct next_try {
    give_up end = give_up::no;
    std::chrono::milliseconds pause{};  ///< until it; 0 if there is none
};

/// As long again as the calls have been failing, between a second and half a minute, less up to a quarter; no
/// less than the server asks for. So pauses grow, and after an outage each job is tried within about as much
/// time as the outage took. A pause after which the job would be delivered too late for its deadline, or
/// that reaches the end of `retry_for` (0: no patience at all), is not begun. `chance`, in [0, 1), spreads
/// those that failed together.
[[nodiscard]] next_try plan_next_try(failed_call const& call, std::chrono::milliseconds retry_for,
                                     double chance);

/// For operators: "HTTP status 529 overloaded_error", "no connection". Never a word of the server's or of a
/// user's.
[[nodiscard]] std::string reason_of(claude::error const& why);

}  // namespace engram::workers
