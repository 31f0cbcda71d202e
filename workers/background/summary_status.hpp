// What the pool of summaries says of itself.
#pragma once

#include <cstddef>
#include <cstdint>

namespace engram::workers {

struct summary_counts {
    std::uint64_t written = 0;
    std::uint64_t condensed = 0;  ///< times that summaries of one conversation became one
    std::uint64_t failed = 0;     ///< given back, to be tried again
    std::uint64_t discarded = 0;  ///< another process was first, or something was erased meanwhile
};

struct summary_status : summary_counts {
    std::size_t workers = 0;       ///< there are at present
    std::size_t running = 0;       ///< of them, with a conversation in hand
    std::size_t waiting = 0;       ///< conversations
    std::int64_t oldest_ms = 0;    ///< how long the first of them has waited
    std::size_t unseen_turns = 0;  ///< of those that wait: in no prompt any more, in no summary yet
};

/// A conversation that is due with 20 turns and shown with 40 has at least ten messages' time.
[[nodiscard]] constexpr bool lags(summary_status const& now) {
    return now.oldest_ms >= 30'000 || now.unseen_turns > 0;
}

}  // namespace engram::workers
