// What is known about a user: listed, searched, corrected, erased. For people and for upkeep, off the path of
// the chat turn. Every call names a user and sees nothing of another one.
#pragma once

#include "store/store.hpp"

namespace engram::store {

/// A memory with everything that is known about it. Times are UTC text; empty: unknown or none.
struct memory_record {
    memory what;
    std::string updated_at, last_seen, valid_from;
    std::string valid_to;  ///< not empty: a version of the past
    std::int64_t times_seen = 1;
    std::int64_t superseded_by = 0;  ///< id of the memory that took its place; 0: none
    bool pinned = false;
    std::string expires_at;
    std::string job_id;
};

struct turn_record {
    turn what;
    std::string session_id, created_at;
    bool summarized = false;
    std::string job_id = {};  ///< that it came with; empty: not known
};

struct session_record {
    std::string session_id;
    std::string updated_at;
    std::size_t turns = 0;  ///< in the window and in summaries
};

/// A page of a list. `next`: where the next page begins; empty: this was the last.
template <class T>
struct page {
    std::vector<T> items;
    std::string next;
};

struct page_request {
    std::string from;  ///< `next` of the page before; empty: the first page
    std::size_t limit = 50;
};

/// Where a memory was learnt or confirmed: one exchange.
struct memory_source {
    std::string session_id, job_id, at;
    std::vector<turn_record> turns;  ///< those that are still there
};

struct memory_history {
    std::vector<memory_record> versions;  ///< oldest first
    std::vector<memory_source> sources;   ///< oldest first, at most 100
};

struct memory_change {
    std::int64_t id = 0;
    std::optional<std::string> content, type;
    std::optional<bool> pinned;
    std::size_t most_of_type = 0;  ///< as in new_memory, for the type that it has afterwards
    std::chrono::seconds lifetime{0};
};

struct changed_memory {
    memory_record now;
    std::string action;           ///< as saved_memory::action
    std::int64_t superseded = 0;  ///< id of the version that this one took the place of; 0: none
};

/// What was removed where.
struct erasure_counts {
    std::size_t memories = 0, turns = 0, summaries = 0, index_entries = 0, vectors = 0, replies = 0,
                sessions = 0;
};

struct erased {
    erasure_counts counts;
    std::vector<std::string> reply_keys;  ///< of replies that may still be in Redis
    std::vector<std::string> job_ids;     ///< of those jobs
    std::int64_t pending = 0;             ///< names what is left to do about those; 0: nothing
};

/// An erasure of which something is left to do outside of the store.
struct pending_erasure {
    enum class kind {
        memory,
        session,
        user,  ///< to be forgotten anew from the beginning: it names no replies
    };

    std::int64_t id = 0;
    pending_erasure::kind what = kind::memory;
    std::string user_id;
    std::vector<std::string> reply_keys, job_ids;
    bool cleaned = false;  ///< replies were erased; this is to look for one that was on its way then
    unsigned tries = 0;    ///< before this one, without success
};

enum class erasure_state {
    open,     ///< nothing has been done
    cleaned,  ///< replies were erased, and are to be looked for once more
    done,     ///< nothing is left to do
};

/// What becomes of the record that a forgotten user's jobs are done. It is the only one of where their
/// replies went: as long as those may be in Redis it stays, without its text.
enum class finished_jobs { keep, remove };

struct search_request {
    std::string user_id;
    std::shared_ptr<ranker> search;
    std::size_t limit = 10;
    std::string vector, vector_model;
    base::wall_time now;
};

struct search_result {
    std::vector<std::pair<memory_record, ranked_item>>
        memories;  ///< best first; `id` of the item means nothing
    std::vector<std::pair<turn_record, ranked_item>> turns;
};

struct totals {
    std::uint64_t users = 0, memories = 0, past_memories = 0, turns = 0, sessions = 0, database_bytes = 0;
};

/// One line of an export: which table, and the record.
struct exported {
    std::optional<memory_record> memory;
    std::optional<turn_record> turn;
    std::optional<session_record> session;
};

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

/// A text without a vector of the present model.
struct unembedded {
    std::int64_t place = 0;  ///< the store's own number
    std::string text;
};

/// As `store`: from one executor, never blocking it, completing even if the caller is cancelled. "None" as a
/// result: this user has no such memory or session.
class curator {
public:
    template <class T>
    using answer = boost::asio::awaitable<result<T>>;

    virtual ~curator() = default;

    virtual answer<page<memory_record>> list_memories(std::string user_id, std::string type, bool past,
                                                      page_request which, base::wall_time now) = 0;
    virtual answer<search_result> search(search_request request) = 0;
    virtual answer<std::optional<memory_history>> read_history(std::string user_id,
                                                               std::int64_t memory_id) = 0;
    virtual answer<page<session_record>> list_sessions(std::string user_id, page_request which) = 0;
    virtual answer<std::optional<page<turn_record>>> read_session(conversation which, page_request page) = 0;
    virtual answer<page<exported>> export_user(std::string user_id, page_request which) = 0;
    /// Of one user, or of all if `user_id` is empty.
    virtual answer<totals> count(std::string user_id) = 0;

    virtual answer<changed_memory> add_memory(std::string user_id, new_memory what, base::wall_time at) = 0;
    virtual answer<std::optional<changed_memory>> change_memory(std::string user_id, memory_change what,
                                                                base::wall_time at) = 0;
    /// Makes a version of the past the current one again.
    virtual answer<std::optional<memory_record>> restore_memory(std::string user_id, std::int64_t memory_id,
                                                                base::wall_time at) = 0;

    /// All versions, the exchanges they were learnt from (turns become blank), the summaries of those. Of one
    /// that is deleted already but not finished: what was reported then.
    virtual answer<std::optional<erased>> delete_memory(std::string user_id, std::int64_t memory_id,
                                                        base::wall_time at) = 0;
    virtual answer<std::optional<erased>> delete_session(conversation which, bool memories,
                                                         base::wall_time at) = 0;
    /// Nothing is left of the user but that they were forgotten and when, under a digest of their id, and
    /// some counters. In pieces, so that others write in between; from the first one on nothing that was read
    /// before is written any more. One that ends in between is a pending erasure, as is one that keeps the
    /// jobs. Names the replies of all jobs that are on record; counts those that were not blank yet.
    virtual answer<erased> forget_user(std::string user_id, finished_jobs jobs, base::wall_time at) = 0;

    /// Upkeep: an erasure that whoever began it has not finished in a minute, or one that is to be looked at
    /// again; nobody else gets it until `until`.
    virtual answer<std::optional<pending_erasure>> claim_erasure(base::wall_time now,
                                                                 base::wall_time until) = 0;
    /// What has become of it; it is claimable again at `due`, unless it is done. One that is gone is no
    /// error.
    virtual answer<void> settle_erasure(std::int64_t id, erasure_state state, base::wall_time due) = 0;

    /// Upkeep: memories whose time is over go for good. Returns how many; at most `limit`.
    virtual answer<std::size_t> expire_memories(base::wall_time now, std::size_t limit) = 0;

    /// A user with at least `least_new` memories since his last consolidation, or with any and none since
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
    /// Where a text has gone meanwhile its vector is dropped.
    virtual answer<void> store_vectors(std::string model,
                                       std::vector<std::pair<std::int64_t, std::string>> vectors) = 0;
};

/// The whole store behind one object.
class database : public store, public curator {};

}  // namespace engram::store
