// Who may summarize a conversation, and for how long.
#pragma once

#include <cstdint>

namespace engram::store {

/// True while the lease taken at `from` and good until `until` counts at `now` (all Unix ms).
/// A lease taken far in the future was taken by a clock that has been set back since: without this, its
/// conversation would wait until the clock gets there. The hour is for clocks that merely disagree.
[[nodiscard]] constexpr bool is_leased(std::int64_t from, std::int64_t until, std::int64_t now) {
    constexpr std::int64_t disagreement_ms = 3'600'000;
    return now < until && from - disagreement_ms <= now;
}

}  // namespace engram::store
