// Taking erased text out of the write-ahead log.
#pragma once

#include "base/clock.hpp"
#include "store/sqlite/connection.hpp"

#include <cstddef>

namespace engram::store {

/// What was erased still stands in the log. Moving all of it into the database, where it is overwritten, and
/// cutting the log off needs a moment in which nobody reads an older state. A reader of another process may
/// take hours, and every write waits with us, so a try is bounded, and so is what all tries cost: after an
/// erasure one of a second, then shorter ones after the writes that follow, with pauses that grow from a
/// tenth of a second to `longest_pause` while the tries grow from 5 ms to `longest_try`, until one succeeds.
/// Upkeep writes every minute, so that none of this waits for users.
///
/// On the writing connection, which must outlive it, outside of transactions. `clock` must outlive it, too.
class log_cleaner {
public:
    static constexpr std::chrono::milliseconds longest_try{250}, longest_pause{10'000};

    /// Erased text may stand in the log at the start: of a process that died before it was cleaned.
    log_cleaner(connection& db, base::clock const& clock) : db_(db), clock_(clock) {}

    void after_commit(bool erased);

    [[nodiscard]] bool is_clean() const { return clean_; }
    [[nodiscard]] std::size_t tries() const { return tries_; }  ///< since it was clean

private:
    bool empty_log(std::chrono::milliseconds patience);
    void failed();

    connection& db_;
    base::clock const& clock_;
    bool clean_ = false;
    std::size_t tries_ = 0;
    base::steady_time dirty_since_{}, next_try_{}, next_complaint_{};
    bool complained_ = false;
};

}  // namespace engram::store
