// When the log says that jobs are answered, or that they are not. Pure.
#pragma once

#include <cstdint>

namespace engram::daemon {

/// "Jobs are answered again" only after one was: until then jobs are taken, and nobody knows what comes of
/// them.
class readiness {
public:
    enum class news { none, not_answered, taken_again, answered_again };

    /// `answered`: jobs without an error so far. Is given each state, in order; what it returns is to be
    /// told.
    news heed(bool ready, std::uint64_t answered) {
        if (!ready) {
            if (state_ == state::waiting) return news::none;
            state_ = state::waiting;
            answered_before_ = answered;
            return news::not_answered;
        }
        if (state_ == state::answering) return news::none;
        if (answered > answered_before_) {
            state_ = state::answering;
            return news::answered_again;
        }
        if (state_ == state::taking) return news::none;
        state_ = state::taking;
        return news::taken_again;
    }

private:
    enum class state { answering, waiting, taking };
    state state_ = state::answering;  // as if: nothing is told before something is wrong
    std::uint64_t answered_before_ = 0;
};

}  // namespace engram::daemon
