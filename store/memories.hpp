// The port of people: what is known about a user is listed, searched, corrected, erased, off the path of the
// chat turn. Every call names a user and sees nothing of another one. "None" as a result: this user has no
// such memory or session.
#pragma once

#include "base/clock.hpp"
#include "store/records.hpp"
#include "store/search.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace engram::store {

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

    erasure_counts& operator+=(erasure_counts const& more) {
        memories += more.memories;
        turns += more.turns;
        summaries += more.summaries;
        index_entries += more.index_entries;
        vectors += more.vectors;
        replies += more.replies;
        sessions += more.sessions;
        return *this;
    }
};

/// What an erasure would take away.
struct erasure_preview {
    struct changed_turn {
        turn what;  ///< as it is
        std::string session_id;
        std::string left;  ///< what stays of it; empty: nothing
    };
    erasure_counts counts;
    std::vector<memory> memories;   ///< all versions
    std::vector<memory> summaries;  ///< their other turns are summarized anew
    std::vector<changed_turn> turns;
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

/// The lists take no part in the loading of turns: however long one takes, no chat waits for it.
class memories {
public:
    virtual ~memories() = default;

    virtual answer<page<memory_record>> list_memories(std::string user_id, std::string type, bool past,
                                                      page_request which, base::wall_time now) = 0;
    /// The search of store/search.hpp: memories that hold now and turns, at most `query.limit` in all, best
    /// first each, none that is `known`; of an exchange the turn that fits, the others where there is room.
    virtual answer<search_result> find(std::string user_id, search_query query, known_turns known,
                                       base::wall_time now) = 0;
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

    /// All versions, the exchanges they were learnt from (turns become blank), and the sentences that tell it
    /// in other turns; the summaries of those, and those that tell it. Of one that is deleted already but not
    /// finished: what was reported then.
    virtual answer<std::optional<erased>> delete_memory(std::string user_id, std::int64_t memory_id,
                                                        base::wall_time at) = 0;
    /// What delete_memory() would do now; nothing is changed.
    virtual answer<std::optional<erasure_preview>> preview_deletion(std::string user_id,
                                                                    std::int64_t memory_id) = 0;
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
};

}  // namespace engram::store
