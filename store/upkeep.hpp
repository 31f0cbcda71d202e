// The port of what is done in the background: what has had its time goes, memories are consolidated, texts
// get vectors.
#pragma once

#include "base/clock.hpp"
#include "store/records.hpp"

#include <optional>
#include <string>
#include <vector>

namespace engram::store {

/// A user whose memories may want consolidating.
struct consolidation_task {
    std::string user_id;
    std::vector<memory_record> memories;  ///< current, no summaries, oldest first
    erasures seen;
};

/// What a consolidation does to memories of the task: those of `replaced` end, superseded by a new memory or
/// by `kept`.
struct consolidation_step {
    std::vector<std::int64_t> replaced;  ///< ids
    std::int64_t kept = 0;               ///< id of the memory that stays; 0: a new one
    std::string type, content;           ///< of the new one
};

/// A memory, or an exchange, without a vector of the present model.
struct unembedded {
    std::int64_t place = 0;   ///< the store's own number
    std::string text;         ///< the memory, or what the user said in the exchange
    std::string answer = {};  ///< of the assistant, as it was written; may be empty, as may be `text`
    bool operator==(unembedded const&) const = default;
};

/// … and with it: what it was made for, as it was given.
struct embedded {
    unembedded of;
    std::string vector;  ///< empty: it can have none
};

class upkeep {
public:
    virtual ~upkeep() = default;

    /// Forgets outcomes recorded before `before`; at most `limit` rows a call. Returns how many were removed.
    virtual answer<std::size_t> expire_outcomes(base::wall_time before, std::size_t limit) = 0;

    /// Memories whose time is over go for good. Returns how many; at most `limit`.
    virtual answer<std::size_t> expire_memories(base::wall_time now, std::size_t limit) = 0;

    /// When the newest outcome, turn or memory that is kept was stored; none: there is nothing.
    virtual answer<std::optional<base::wall_time>> newest_outcome() = 0;

    /// A user with at least `least_new` memories since their last consolidation, or with any and none since
    /// `before`, and nobody else at it; claimed until `until`.
    virtual answer<std::optional<consolidation_task>> claim_consolidation(std::size_t least_new,
                                                                          base::wall_time before,
                                                                          base::wall_time now,
                                                                          base::wall_time until) = 0;
    /// In one transaction; steps about memories that are not current any more are left out. Returns how many
    /// memories were superseded; none: something of this user was erased meanwhile, nothing was changed.
    virtual answer<std::optional<std::size_t>> commit_consolidation(consolidation_task task,
                                                                    std::vector<consolidation_step> steps,
                                                                    base::wall_time at) = 0;

    /// Texts that have no vector of `model`, oldest first among those of one user.
    virtual answer<std::vector<unembedded>> find_unembedded(std::string model, std::size_t limit) = 0;
    /// Where a text has gone or changed meanwhile its vector is dropped.
    virtual answer<void> store_vectors(std::string model, std::vector<embedded> vectors) = 0;

    /// Rows that other software has written into the tables of turns and memories get what they need to be
    /// found, listed, summarized and deleted. At most `limit`; returns how many; 0: there were none.
    virtual answer<std::size_t> adopt_rows(std::size_t limit) = 0;
};

}  // namespace engram::store
