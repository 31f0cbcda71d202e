// Warnings that come again and again.
#pragma once

#include "base/clock.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engram::base {

/// Decides which of many warnings about one thing are worth a line in the log: each cause at once when it is
/// new, then at most once every `every`, and no more than `most_causes` in that time. Pure: the caller says
/// what time it is.
class repeated {
public:
    static constexpr std::size_t most_causes = 8;

    explicit repeated(std::chrono::milliseconds every = std::chrono::minutes(1)) : every_(every) {}

    /// It has come again, because of `cause`. Nothing: silence. Else it is to be told, with how many times it
    /// was not told since the last time that it was (field "repeated").
    [[nodiscard]] std::optional<std::uint64_t> tell(std::string_view cause, steady_time now);
    /// It is over: whatever comes next is new.
    void over();

private:
    struct told {
        std::string cause;
        steady_time at;
    };
    std::chrono::milliseconds every_;
    std::vector<told> told_;  // within `every`, a cause each
    std::uint64_t untold_ = 0;
};

}  // namespace engram::base
