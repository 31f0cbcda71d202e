// When an endpoint that has failed is asked again. Pure: the caller says what time it is.
//
// States: well → failed() → resting for a while → one query may try → succeeded(): well; failed(): resting
// again, twice as long. A rest is shortened by up to a quarter at random, as base::backoff does it.
#pragma once

#include "base/backoff.hpp"
#include "base/clock.hpp"

#include <chrono>

namespace engram::embedding {

inline constexpr std::chrono::milliseconds shortest_rest{1'000};
inline constexpr std::chrono::milliseconds longest_rest{60'000};

class rest {
public:
    /// Whether a query may be sent. After a rest only one may, until it is known how that ended: an endpoint
    /// that is still away should cost one query its time, not all.
    [[nodiscard]] bool may_ask(base::steady_time now) const;
    /// A query is sent. REQUIRES: may_ask(). Returns whether it is the one that tries: then succeeded(),
    /// failed() or gave_up() must follow.
    bool begin() {
        trying_ = resting_;
        return trying_;
    }

    /// Returns whether this ended a rest.
    bool succeeded();
    /// A query sent at `began` has failed. Those that were under way when a rest began do not lengthen it.
    /// Returns whether this is the first failure after a success.
    bool failed(base::steady_time began, base::steady_time now);
    /// The query that was to try has ended without saying anything about the endpoint.
    void gave_up() { trying_ = false; }

    [[nodiscard]] bool resting() const { return resting_; }

private:
    base::backoff pauses_{shortest_rest, longest_rest};
    bool resting_ = false;
    bool trying_ = false;
    base::steady_time since_{};
    base::steady_time until_{};
};

}  // namespace engram::embedding
