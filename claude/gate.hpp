// Whether Claude may be asked at all: a rejected key or a spend limit concerns every job, not one.
#pragma once

#include "base/clock.hpp"
#include "base/event.hpp"
#include "claude/error.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

namespace engram::claude {

/// What becomes of a job whose call was refused.
enum class fate {
    bears,      ///< it ends with the error
    goes_back,  ///< to the front, as if it had not been taken
    waits,      ///< it is tried again later, another job first: it may be the cause itself
};

/// The first job that meets an error which concerns every request bears it (or goes back, if the API was not
/// even reached); then the gate is shut and no more jobs are taken. After a pause one job is taken on trial:
/// only a message as its answer opens the gate.
///
/// One refused request says nothing about others. Five of them within a minute with no answer in between do:
/// something that all have in common is refused.
///
/// States: open → shut (refused) → trial (pause over, or a new key) → open (answered) or shut (refused).
class gate {
public:
    enum class state { open, shut, trial };
    using intake = std::function<void(state)>;
    /// A kind of refusal, what it means to the gate, and what an operator can do; in gate.cpp.
    struct refusal;

    /// `pause`: until the first trial; kinds that do not end by themselves wait for four times as long.
    /// `on_change` is told each new state.
    gate(std::chrono::milliseconds pause, intake on_change, boost::asio::any_io_executor executor);

    /// Names the time until the next refusal; to be noted before a call and given to met() and answered().
    [[nodiscard]] std::uint64_t period() const { return period_; }
    /// A call that began in `since` ended with `why`. News of before the last refusal changes nothing.
    /// REQUIRES: its kind is neither deadline nor busy, and it does not pass.
    [[nodiscard]] fate met(error const& why, std::uint64_t since,
                           base::steady_time now = std::chrono::steady_clock::now());
    /// A message came as the answer to a call that began in `since`. An answer to a call that began before a
    /// refusal proves nothing.
    void answered(std::uint64_t since);
    /// Something has changed (a new key): try at once.
    void try_now();

    /// Ends the pauses; runs until cancelled.
    boost::asio::awaitable<void> run();

    [[nodiscard]] state current() const { return state_; }
    /// Why the gate is not open, for operators, without a word of a user's; empty if it is.
    [[nodiscard]] std::string const& reason() const { return reason_; }
    /// "auth", "spend_limit", "on_hold", "no_api", "model_gone" or "refuses_all"; empty if it is open.
    [[nodiscard]] std::string_view kind() const;
    /// What an operator can do; empty if it is open.
    [[nodiscard]] std::string_view cure() const;
    /// Until one job is tried; 0 if the gate is not shut.
    [[nodiscard]] std::chrono::milliseconds next_try(base::steady_time now) const;

private:
    void enter(state next);
    void shut(refusal const& kind, error const& why, base::steady_time now);
    fate met_alone(error const& why, bool is_news, base::steady_time now);

    std::chrono::milliseconds pause_;
    intake on_change_;
    state state_ = state::open;
    refusal const* kind_ = nullptr;  // null: open
    std::string reason_;
    std::uint64_t period_ = 0;
    base::steady_time shut_until_{};
    std::deque<base::steady_time> alone_;  // when single requests were refused since the last answer
    base::event changed_;
};

}  // namespace engram::claude
