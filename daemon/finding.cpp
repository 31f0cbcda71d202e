#include "daemon/finding.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <sysexits.h>

namespace engram::daemon {
namespace {

using namespace std::chrono_literals;
using enum finding::grade;

constexpr std::chrono::milliseconds usual_difference = 5s, worst_difference = 5min;

std::string_view word_of(finding::grade how) {
    switch (how) {
        case ok:
            return "ok    ";
        case note:
            return "note  ";
        case warning:
            return "warn  ";
        case failure:
            break;
    }
    return "FAIL  ";
}

std::string counted(std::ptrdiff_t count, std::string const& name) {
    return std::to_string(count) + ' ' + name + (count == 1 ? "" : "s");
}

}  // namespace

std::string to_line(finding const& one) {
    auto line = std::string(word_of(one.how)) + one.what;
    if (!one.cure.empty()) line += "; cure: " + one.cure;
    // What others say may have several lines.
    std::ranges::replace_if(line, [](unsigned char c) { return c < 0x20 || c == 0x7F; }, ' ');
    return line;
}

std::string to_summary(findings const& all) {
    auto const failures = std::ranges::count(all, failure, &finding::how);
    auto const warnings = std::ranges::count(all, warning, &finding::how);
    auto const warned = counted(warnings, "warning");
    if (failures > 0) return "no jobs would be answered: " + counted(failures, "failure") + ", " + warned;
    return warnings > 0 ? "jobs would be answered: " + warned : "all is well";
}

int exit_status(findings const& all) {
    bool const lasts =
        std::ranges::any_of(all, [](finding const& one) { return one.how == failure && !one.passes; });
    bool const fails = std::ranges::count(all, failure, &finding::how) > 0;
    return lasts ? EX_CONFIG : fails ? EX_TEMPFAIL : EX_OK;
}

finding judge_clock(std::string_view whose, std::chrono::milliseconds ahead) {
    auto const apart = std::chrono::abs(ahead);
    std::string const clock(whose);
    if (apart <= usual_difference) return {ok, "the clock of this machine agrees with that of " + clock};
    auto const seconds = std::to_string(std::chrono::round<std::chrono::seconds>(apart).count());
    return {apart > worst_difference ? failure : warning,
            "the clock of this machine is " + seconds + " s " + (ahead > 0ms ? "ahead of" : "behind") +
                " that of " + clock,
            "set both by the network's time: timedatectl set-ntp true"};
}

std::string size_text(std::uint64_t bytes) {
    constexpr std::array units{"bytes", "KiB", "MiB", "GiB", "TiB"};
    std::size_t unit = 0;
    auto size = static_cast<double>(bytes);
    for (; size >= 1024 && unit + 1 < units.size(); ++unit)
        size /= 1024;
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", size, units.at(unit));
    return text.data();
}

}  // namespace engram::daemon
