// How many calls to one model may be under way, as far as its answers tell. No I/O; the time is passed in.
#pragma once

#include "base/clock.hpp"
#include "claude/asker.hpp"
#include "claude/message.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace engram::claude {

/// What the provider allows of something; -1: it does not say.
struct allowance {
    double a_minute = -1;
    double left = -1;  ///< now
};

/// What the headers of an answer tell of the limits for its model.
struct told_limits {
    allowance requests, input_tokens, output_tokens;
};

/// The headers that tell of limits, by name.
[[nodiscard]] std::span<std::string_view const> limit_headers();
/// `values` as limit_headers(), "" where absent; or nothing at all. What is no number was not said.
[[nodiscard]] told_limits read_limits(std::vector<std::string> const& values);

/// What one daemon tells the others of its calls to a model, once a second while it is paced.
struct pace_report {
    std::string model = {};
    std::size_t chats = 0;              ///< that wait
    std::size_t others = 0;             ///< background calls that wait
    std::size_t soon = 0;               ///< chats that may come before the next report
    std::size_t answered_a_minute = 0;  ///< calls, lately, about
    std::size_t unused = 0;             ///< permits that it gives back
    bool refused = false;               ///< a call was, since the last report, while others were answered
    double allowed = 0;                 ///< calls a minute, as the provider says; 0: it does not say
    double left = -1;                   ///< calls, as the provider says; -1: it does not say
    std::chrono::milliseconds hold{};   ///< nothing is to be asked meanwhile
};

/// What it gets for that.
struct pace_grant {
    std::string model;
    std::size_t calls = 0;  ///< permits until the next report
    double a_minute = 0;    ///< calls, of all daemons together
};

/// States:
///   free   `window` bounds the calls under way. It grows while calls wait and most are answered, is halved
///          while most fail, and follows what the provider says is left, where it says so.
///   paced  a call was refused (429) while others were answered, or what is left is little for the calls that
///   all daemons may begin
///          before they hear of each other. A call needs a permit, too, if the daemons share them: grant().
/// free → paced at once; paced → free a minute after the last sign of either.
///
/// Growth and halving happen once a second, in look().
class pace {
public:
    /// `first` calls may be under way before anything is known, `most` ever. `shared`: somebody hands out
    /// permits; where none come for some seconds, one a second is taken for granted.
    pace(std::size_t first, std::size_t most, bool shared, base::steady_time now);

    /// Permits that chats will want are not for background calls.
    [[nodiscard]] bool may_start(base::steady_time now, call_class what) const;
    /// REQUIRES: may_start() now.
    void started(base::steady_time now, call_class what);

    // What came of a call under way; ended() after any of them, or alone if it tells nothing of the load.
    void answered(base::steady_time now, told_limits const& limits, usage const& used);
    /// With status 429. `wish`: how long the server wants to be left alone.
    void refused(base::steady_time now, told_limits const& limits,
                 std::optional<std::chrono::milliseconds> wish);
    /// Overloaded, unreachable, or something unreadable.
    void failed(base::steady_time now);
    void ended() { --under_way_; }

    /// At each call and at look_again(): whether a second was over, so that room() may have changed.
    bool look(base::steady_time now, std::size_t waiting);
    /// When may_start() may change by itself.
    [[nodiscard]] base::steady_time look_again(base::steady_time now) const;

    [[nodiscard]] bool is_paced() const { return paced_; }
    /// A refusal that no report has told yet.
    [[nodiscard]] bool has_news() const { return was_refused_; }
    [[nodiscard]] pace_report report(base::steady_time now, std::size_t chats, std::size_t others);
    void grant(base::steady_time now, pace_grant const& given);
    /// Calls a minute of all daemons, as last granted; 0: not known.
    [[nodiscard]] double a_minute() const { return a_minute_; }

    /// No more calls than this should be wanted at a time; none: it is no bound.
    [[nodiscard]] std::optional<std::size_t> room() const { return room_; }
    [[nodiscard]] std::size_t under_way() const { return under_way_; }

private:
    enum class news { none, good, bad };
    void hear(base::steady_time now, told_limits const& limits);
    void turn_paced(base::steady_time now);
    [[nodiscard]] std::size_t grown(base::steady_time now) const;
    void end_round(base::steady_time now, std::size_t waiting);
    void calm_down(base::steady_time now, std::size_t waiting);
    void adapt_room(base::steady_time now);
    [[nodiscard]] double answered_lately(base::steady_time now) const;

    std::size_t first_, most_;
    bool shared_;
    std::size_t window_;
    std::optional<base::steady_time> first_call_;  // of all
    std::size_t under_way_ = 0;
    std::optional<std::size_t> room_;
    base::steady_time failed_at_;   // last; refusals count
    base::steady_time hold_until_;  // nothing is asked before
    unsigned refused_in_row_ = 0;

    // The second that is under way, and what the last one with results was like.
    base::steady_time round_began_;
    std::size_t good_ = 0, bad_ = 0;
    std::size_t waiting_ = 0;  // as it was seen last
    news last_news_ = news::none;

    // What the provider said.
    base::steady_time told_at_;
    double left_ = -1, allowed_ = -1;          // calls
    double mean_input_ = 0, mean_output_ = 0;  // tokens a call; 0: not known

    // While paced:
    bool paced_ = false;
    base::steady_time scarce_at_;  // the last sign
    std::size_t permits_ = 0;
    std::size_t for_chats_ = 0;  // of these
    std::size_t granted_ = 0;    // last
    base::steady_time granted_at_;
    double a_minute_ = 0;

    // For the report:
    double answered_ = 0;  // leaks over a minute
    base::steady_time answered_at_;
    std::size_t chats_started_ = 0;  // since the last one
    bool was_refused_ = false;
};

}  // namespace engram::claude
