// Time, injected so that a test can set it.
#pragma once

#include <chrono>
#include <string>

namespace engram::base {

using steady_time = std::chrono::steady_clock::time_point;
using wall_time = std::chrono::system_clock::time_point;

/// Wall-clock and monotonic time. Implementations may be called from any thread.
class clock {
public:
    virtual ~clock() = default;

    /// For what people read and what is stored. May jump; never use it to order or to time anything.
    [[nodiscard]] virtual wall_time wall() const { return std::chrono::system_clock::now(); }

    /// For durations and deadlines.
    [[nodiscard]] virtual steady_time steady() const { return std::chrono::steady_clock::now(); }
};

/// Milliseconds since the Unix epoch.
[[nodiscard]] std::int64_t to_unix_ms(wall_time t);

/// UTC as "YYYY-MM-DD HH:MM:SS.mmm": what SQLite's date functions read, and sorts as text.
[[nodiscard]] std::string to_utc_text(wall_time t);

/// Whole milliseconds from `from` to `to`; 0 if `to` is earlier.
[[nodiscard]] std::int64_t elapsed_ms(steady_time from, steady_time to);

}  // namespace engram::base
