// Calls that wait because this machine has run out of something, such as file descriptors. Pure: the caller
// says what time it is.
#pragma once

#include "base/clock.hpp"
#include "base/repeated.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace engram::claude {

/// So long without an answer while calls wait is more than fewer calls at a time.
inline constexpr std::chrono::seconds long_without_answer{5};

class shortage {
public:
    /// For as long as one call waits.
    class waiting {
    public:
        waiting(shortage& of, base::steady_time now);
        waiting(waiting const&) = delete;
        waiting& operator=(waiting const&) = delete;
        ~waiting();

        /// Again it was `lack`, as base::local_lack() tells it. Logs it now and then.
        void met(std::string_view lack, base::steady_time now);

    private:
        shortage& of_;
    };

    /// Some call was answered.
    void answered(base::steady_time now) { quiet_since_ = now; }

    /// What is lacking; empty while no call waits for it.
    [[nodiscard]] std::string const& lack() const { return lack_; }
    /// Calls wait, and for long_without_answer none was answered.
    [[nodiscard]] bool stops_everything(base::steady_time now) const {
        return !lack_.empty() && now - quiet_since_ >= long_without_answer;
    }

private:
    std::size_t waiting_ = 0;
    std::string lack_;
    base::steady_time quiet_since_{};  // while calls wait
    base::repeated told_;
};

}  // namespace engram::claude
