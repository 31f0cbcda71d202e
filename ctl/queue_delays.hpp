// Jobs that wait for another try, and an operator's pause, as Redis has them and as they are shown. Pure.
#pragma once

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engram::ctl {

/// Whose conversation a lane is, as far as its name tells (docs/queue.md).
struct lane_owner {
    std::optional<std::string> user;     ///< none: what was pushed could not be read
    std::optional<std::string> session;  ///< none: a lane of one job, or of repeats of one id
};
[[nodiscard]] lane_owner owner_of(std::string_view lane);

/// A conversation whose first job waits until it is tried again.
struct delayed_lane {
    lane_owner owner;
    std::optional<std::int64_t> due_ms;  ///< from now; negative: it was due already
    std::optional<std::string> reason;
};

struct delayed_view {
    std::int64_t count = 0;
    std::vector<delayed_lane> lanes;  ///< the first of them by the time when they are due
};

/// What stands at P:paused: since when no jobs are taken, and who wanted it why. None where it does not say.
struct pause_note {
    std::optional<std::int64_t> at_ms;  ///< since the epoch
    std::optional<std::string> by, reason;
};
[[nodiscard]] pause_note read_pause(std::string_view text);
[[nodiscard]] std::string pause_text(pause_note const& note);

/// "4 s", rounded up; "now" for what is due; "-" for none.
[[nodiscard]] std::string wait_cell(std::optional<std::int64_t> ms);

/// "97, the next in 4 s".
[[nodiscard]] std::string delayed_cell(std::optional<delayed_view> const& view);
/// A table; empty if there is none.
[[nodiscard]] std::string delayed_table(std::optional<delayed_view> const& view);
/// One line that also tells how to end it.
[[nodiscard]] std::string pause_line(pause_note const& note);

/// Null for none.
[[nodiscard]] boost::json::value delayed_document(std::optional<delayed_view> const& view);
[[nodiscard]] boost::json::value pause_document(std::optional<pause_note> const& note);

}  // namespace engram::ctl
