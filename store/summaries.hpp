// The port of the summaries: old turns leave the window of their conversation, a summary takes their place.
#pragma once

#include "base/clock.hpp"
#include "store/types.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace engram::store {

/// The oldest turns of one conversation, taken for summarizing.
struct summary_task {
    conversation of;
    std::string owner;
    std::vector<turn> turns;                     ///< consecutive, oldest first
    std::vector<std::string> earlier_summaries;  ///< of the same conversation, oldest first
    erasures seen = {};
    /// Its oldest summaries, oldest first, if all have outgrown their room: they are to become one before
    /// these turns are summarized. They are not among `earlier_summaries`.
    std::vector<memory> to_condense = {};
    std::vector<std::string> said_at = {};  ///< when each of `turns` was, UTC text as the database has it
};

struct summary_request {
    conversation of;
    std::size_t trigger_turns = 20;
    std::size_t keep_turns = 6;
    std::string owner;  ///< unique to this process
    /// How long nobody else takes the same conversation. Wall-clock; a bound on wasted calls, not on
    /// correctness.
    std::chrono::milliseconds lease{0};
    base::wall_time now;
    /// A conversation's summaries have room for so many, estimated; beyond that some are to be condensed. 0:
    /// never.
    std::size_t condense_tokens = 1'500;
};

class summaries {
public:
    virtual ~summaries() = default;

    /// Conversations with at least `trigger_turns` turns that no summary covers and no live lease.
    virtual answer<std::vector<conversation>> find_due_sessions(std::size_t trigger_turns,
                                                                base::wall_time now, std::size_t limit) = 0;

    /// When the first live lease on such a conversation ends, if it is not renewed; nothing if there is none.
    virtual answer<std::optional<base::wall_time>> find_next_lease_end(std::size_t trigger_turns,
                                                                       base::wall_time now) = 0;

    /// Takes the oldest turns of a conversation for summarizing: all but the newest `keep_turns`, cut so that
    /// what stays begins with a user turn. Empty if it is not due or someone else has it.
    virtual answer<std::optional<summary_task>> claim_summary(summary_request request) = 0;

    /// In one transaction: the summary becomes a memory and exactly these turns leave the window (marked, or
    /// deleted if `delete_turns`). False, and nothing changed, if one of the turns is covered or gone
    /// already.
    virtual answer<bool> commit_summary(summary_task task, std::string summary, bool delete_turns,
                                        base::wall_time at) = 0;

    /// In one transaction: `summary` takes the place of all of `task.to_condense`. It is the first of them
    /// from then on, and stands for the turns of each. The conversation stays claimed. False, and nothing
    /// changed, if one of them has ended or was pinned, or something of the user was erased since the claim.
    virtual answer<bool> commit_condensed(summary_task task, std::string summary, base::wall_time at) = 0;

    /// Keeps a claimed conversation until `until`, unless somebody else holds its lease by now.
    virtual answer<void> renew_summary(summary_task const& task, base::wall_time until) = 0;

    /// Gives a claimed conversation back without a summary; nobody retries it before `not_before`.
    virtual answer<void> release_summary(summary_task task, base::wall_time not_before) = 0;
};

}  // namespace engram::store
