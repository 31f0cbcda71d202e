// Forgetting a user, a bounded piece at a time.
#pragma once

#include "store/sqlite/pending_queries.hpp"
#include "store/sqlite/recall_index.hpp"
#include "store/sqlite/user_queries.hpp"

#include <string>

namespace engram::store {

struct forget_order {
    std::string user_id;
    finished_jobs jobs;
    base::wall_time at;        ///< when they were forgotten, …
    base::wall_time begun_at;  ///< … and when this began: whoever does it has a minute from then on
    /// They were forgotten in a later state of the database. What is counted says how far that has come, so
    /// it counts only once nothing is left.
    bool is_again = false;
};

/// What one piece has erased.
struct forget_step {
    erased part;
    std::int64_t after = 0;  ///< to be given to the next piece
    bool done = false;       ///< nothing of the user was left at the end of this transaction
};

/// Statements on the writing connection, which must outlive them. Each call belongs inside a transaction and
/// is undone with it. Throws sqlite_error.
///
/// The first piece raises the user's counters (all but `forgets` if it is done again), so that nothing which
/// was read before can be written any more, and notes the erasure as pending. The last one raises them again:
/// what was read and written between the pieces was made from what was still there. It finds that nothing is
/// left, in its own transaction.
class forgetting_queries {
public:
    static constexpr std::int64_t from_the_start = -1;

    forgetting_queries(connection& db, user_writer& users, recall_index& index, pending_queries& pending);

    /// Erases at most about `most` rows. `after`: `from_the_start`, or as the piece before said.
    [[nodiscard]] forget_step forget_some(forget_order const& order, std::int64_t after, std::size_t most);

private:
    struct piece;  // one under way

    void end_jobs(piece& what, finished_jobs jobs);
    void remove_memories(piece& what);
    void remove(piece& what, statement& some, std::size_t* count);

    connection& db_;
    user_writer& users_;
    recall_index& index_;
    pending_queries& pending_;
    statement jobs_, blank_reply_, remove_job_;
    statement memories_, remove_memory_, remove_sources_;
    statement window_, archive_, sessions_, failures_;
};

}  // namespace engram::store
