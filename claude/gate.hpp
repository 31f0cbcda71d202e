// Whether Claude may be asked at all: a rejected key or a spend limit concerns every job, not one.
#pragma once

#include "base/clock.hpp"
#include "base/event.hpp"
#include "claude/error.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace engram::claude {

/// The first job that meets such an error bears it; then the gate is shut and no more jobs are taken. After a
/// pause one job is taken on trial: if it meets the same error it goes back unanswered and the gate stays
/// shut, any answer of the API opens it.
///
/// States: open → shut (refused) → trial (pause over, or a new key) → open (answered) or shut (refused).
class gate {
public:
    enum class state { open, shut, trial };
    using intake = std::function<void(state)>;

    /// `on_change` is told each new state.
    gate(std::chrono::milliseconds pause, intake on_change, boost::asio::any_io_executor executor);

    /// Names the time until the next refusal; to be noted before a call and given to answered().
    [[nodiscard]] std::uint64_t period() const { return period_; }
    /// The API answered a call that began in `since`, if only to refuse that one request. An answer to a call
    /// that began before a refusal proves nothing.
    void answered(std::uint64_t since);
    /// The API refuses everybody. True: the job that met it bears the error; false: it is to be given back.
    [[nodiscard]] bool refused(error const& why);
    /// Something has changed (a new key): try at once.
    void try_now();

    /// Ends the pauses; runs until cancelled.
    boost::asio::awaitable<void> run();

    [[nodiscard]] state current() const { return state_; }
    /// Why the gate is not open; empty if it is.
    [[nodiscard]] std::string const& reason() const { return reason_; }

private:
    void enter(state next);

    std::chrono::milliseconds pause_;
    intake on_change_;
    state state_ = state::open;
    std::string reason_;
    std::uint64_t period_ = 0;
    base::steady_time shut_until_{};
    base::event changed_;
};

}  // namespace engram::claude
