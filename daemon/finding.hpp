// What `engramd --check` finds, and how it is told. Pure.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace engram::daemon {

struct finding {
    enum class grade {
        ok,
        note,     ///< could not be looked at, or comes with the next start
        warning,  ///< jobs are answered, but something may be lost, or stop later
        failure   ///< jobs would not be answered
    };
    grade how = grade::ok;
    std::string what;
    std::string cure = {};  ///< what an operator can do; empty: nothing has to be done
    bool passes = false;    ///< of a failure: it may be over without anybody's doing
};
using findings = std::vector<finding>;

inline constexpr std::chrono::milliseconds check_patience{10'000};  ///< with one answer from outside

/// One line without its end: "ok    …", "note  …", "warn  …; cure: …" or "FAIL  …; cure: …".
[[nodiscard]] std::string to_line(finding const& one);

/// The last line, such as "no jobs would be answered: 1 failure, 2 warnings".
[[nodiscard]] std::string to_summary(findings const& all);

/// 0 without a failure; EX_TEMPFAIL (75) if every failure may pass by itself; else EX_CONFIG (78).
[[nodiscard]] int exit_status(findings const& all);

/// `ahead`: how far this machine's clock is ahead of the clock of `whose`, which ends a sentence. A few
/// seconds are the network's.
[[nodiscard]] finding judge_clock(std::string_view whose, std::chrono::milliseconds ahead);

/// "1.5 GiB", for people.
[[nodiscard]] std::string size_text(std::uint64_t bytes);

}  // namespace engram::daemon
