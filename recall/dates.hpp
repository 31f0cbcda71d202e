// The dates a query asks about.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace engram::recall {

/// A day, a month, a year or some of these (0: not said) ‒ or days from `first` to `last`, counted since
/// 1970.
struct asked_date {
    int year = 0;
    int month = 0;
    int day = 0;
    std::int64_t first = 0;
    std::int64_t last = -1;

    [[nodiscard]] bool is_span() const { return first <= last; }
};

/// Dates in the query, English. `now_minutes` since 1970 UTC: what "yesterday" counts from; 0: unknown.
[[nodiscard]] std::vector<asked_date> asked_dates(std::string_view query, std::uint32_t now_minutes);

/// How well a text of that time fits the best of the dates, 0..1. What happened is told a little later.
[[nodiscard]] double closeness(std::span<asked_date const> dates, std::uint32_t minutes);

}  // namespace engram::recall
