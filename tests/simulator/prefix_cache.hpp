// A model of prompt caching, for usage figures: which part of a prompt would be read from, or written to, the
// provider's cache. Costs nothing for requests without cache_control.
#pragma once

#include "api_error.hpp"
#include "messages_request.hpp"
#include "usage.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace engram::simulator {

struct cache_write {
    std::uint64_t prefix = 0;  ///< digest of the blocks up to the breakpoint
    std::chrono::steady_clock::time_point expires;
    std::chrono::seconds ttl{300};
};

struct cache_plan {
    simulator::usage usage;           ///< its input side
    std::vector<cache_write> writes;  ///< to be published with the first byte of the answer
};

class prefix_cache {
public:
    using clock = std::chrono::steady_clock;

    /// Splits the prompt into read, written and plain tokens. An error for more than four breakpoints and for
    /// a longer life after a shorter one. `now` is when the request came: lives are counted from there.
    [[nodiscard]] std::optional<api_error> plan(messages_request const& r, clock::time_point now,
                                                cache_plan& into);

    /// From now on the prefixes can be read.
    void publish(std::vector<cache_write> const& writes);
    void clear() { entries_.clear(); }

private:
    struct entry {
        clock::time_point expires;
        std::chrono::seconds ttl;
    };
    void sweep(clock::time_point now);

    std::unordered_map<std::uint64_t, entry> entries_;
};

}  // namespace engram::simulator
