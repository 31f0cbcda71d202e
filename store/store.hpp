// What engram keeps: memories, turns, outcomes of jobs, summaries. No word of SQLite here: another engine can
// stand behind the same interface.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "store/text_index.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace engram::store {

enum class error_kind {
    unavailable,  ///< disk full, I/O error, held by another process for too long: the same call may work
                  ///< later
    internal,     ///< a bug or a damaged database: it will not work later either
};

struct error {
    error_kind kind = error_kind::internal;
    std::string message;
};

template <class T>
using result = base::result<T, error>;

/// A conversation belongs to a user: the same session_id under another user is another conversation.
struct conversation {
    std::string user_id;
    std::string session_id;
    bool operator==(conversation const&) const = default;
};

enum class role { user, assistant };

struct turn {
    std::int64_t id = 0;
    store::role role = store::role::user;
    std::string content;  ///< as it was said or written, memory tags included; may be empty
};

struct memory {
    std::int64_t id = 0;
    std::string type;
    std::string content;
    std::string created_at;  ///< UTC text as the database has it; may be empty
    std::string session_id;  ///< where it was learnt; empty if unknown
    std::int64_t label = 0;  ///< this user's short number of it, the same for all its versions
    bool pinned = false;
};

/// One delivery of one job.
struct job_key {
    std::string job_id;       ///< idempotency key, primary key of finished jobs
    std::string ticket;       ///< this push of the job; the same for each redelivery of that push
    std::string body_digest;  ///< SHA-256 of the job's bytes
};

/// How a job ended, as recorded earlier.
struct recorded_outcome {
    bool ok = false;        ///< an ok reply, else an error reply
    bool same_body = true;  ///< recorded for the same bytes; false: the id was used for another job
    std::string reply;      ///< the reply, as given to `record_*`; empty if it was to other bytes
};

/// What has been erased of one user so far. Whoever read something of a user and wants to write what became
/// of it must still find the same numbers, or he would bring back what was erased meanwhile.
struct erasures {
    std::int64_t deletions = 0;  ///< of memories and sessions
    std::int64_t forgets = 0;    ///< of everything
    bool operator==(erasures const&) const = default;
};

struct context_query {
    job_key job;
    conversation of;
    std::size_t memory_limit = 20;
    std::size_t history_turns = 40;
    std::size_t recall_limit = 0;         ///< texts to be found for the new message
    std::shared_ptr<ranker> search = {};  ///< finds them; may be null
    std::string vector = {};              ///< of the new message, as stored vectors are; may be empty
    std::string vector_model = {};        ///< names what made it
    base::wall_time now = {};             ///< memories that end before it are not loaded
};

struct found_memory {
    memory what;
    double score = 0;
    std::string why;
};

struct found_turn {
    turn what;
    std::string session_id;
    std::string created_at;
    double score = 0;
    std::string why;
};

struct context {
    /// Set: the job has its outcome already, the rest is empty. An ok outcome of this job id, or an error
    /// outcome of this very ticket; an error outcome of an earlier ticket does not count, that job runs anew.
    std::optional<recorded_outcome> recorded;
    /// At most `memory_limit`, oldest first: this session's own summaries (the newest, at most half of the
    /// limit), pinned memories, and for the rest the user's newest ones. Only what holds now; no memory
    /// twice.
    std::vector<memory> memories;
    /// The newest `history_turns` turns of the conversation that no summary covers, oldest first.
    std::vector<turn> turns;
    /// Found for the new message, best first each: nothing that is in `turns`, but also what is in
    /// `memories`; at most `recall_limit` beside those.
    std::vector<found_memory> found_memories;
    std::vector<found_turn> found_turns;
    erasures seen;                   ///< to be given back with the exchange
    base::wall_time forgotten_at{};  ///< when everything of this user was last erased; the epoch: never
};

/// What the model, or somebody for the user, wants noted.
struct new_memory {
    enum class kind { add, update, forget };

    std::string type;     ///< of `add`; of `update`, where empty means: as it was
    std::string content;  ///< not of `forget`
    new_memory::kind what = kind::add;
    std::int64_t label = 0;            ///< of `update` and `forget`
    std::size_t most_of_type = 0;      ///< the one seen least lately ends when there are more; 0: no limit
    std::chrono::seconds lifetime{0};  ///< since it was last seen; 0: for ever
    bool pinned = false;
    /// False: nothing in what the user just said speaks of it. What is known already is then an echo of the
    /// prompt and not told again.
    bool told = true;
};

struct saved_memory {
    std::int64_t id = 0;
    std::string type;
    std::string content;
    /// "added", "confirmed" (it was known and has been told again), "known" (nothing was changed), "updated",
    /// "forgotten"
    std::string action;
};

struct exchange {
    job_key job;
    conversation of;
    std::string user_text;
    std::string assistant_text;  ///< as the model wrote it; may be empty
    std::vector<new_memory> memories;
    base::wall_time at;
    erasures seen;         ///< as the context had it
    std::string reply_to;  ///< the reply's key, so that it can be erased
    /// Writes the final reply once the memories have their ids. Runs on the store's thread inside the
    /// transaction: it may touch its captures and nothing else, and must not throw. Called again if the
    /// transaction has to be repeated, so it must leave its captures as they are.
    std::function<std::string(std::vector<saved_memory> const&)> compose_reply;
};

struct commit_outcome {
    /// What the context held has been erased since: nothing was changed, the answer must not be used.
    enum class staleness { none, deletion, forget };

    bool committed = false;  ///< false: stale, or another delivery was first, nothing was changed, `outcome`
                             ///< is theirs
    staleness stale = staleness::none;
    recorded_outcome outcome;  ///< what to answer
    std::size_t unknown_labels =
        0;                         ///< notes about a memory that this user does not have; nothing was changed
    std::size_t window_turns = 0;  ///< turns of the conversation that no summary covers, after this commit
};

struct failure {
    job_key job;
    std::string user_id;  ///< may be empty: the job did not say
    std::string reply;
    base::wall_time at;
    std::optional<erasures> seen = {};  ///< as the context had it, if there was one
};

/// The oldest turns of one conversation, taken for summarizing.
struct summary_task {
    conversation of;
    std::string owner;
    std::vector<turn> turns;                     ///< consecutive, oldest first
    std::vector<std::string> earlier_summaries;  ///< of the same conversation, oldest first
    erasures seen = {};
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
};

/// All calls come from the executor the store was opened with, and resume on it. Nothing here blocks that
/// executor's thread. A call that was started completes even if its caller is cancelled while it waits.
class store {
public:
    virtual ~store() = default;

    virtual boost::asio::awaitable<result<context>> load_context(context_query query) = 0;

    /// Both turns, the memories and the finished job in one transaction, unless the job id has an ok outcome
    /// or this ticket an error outcome already.
    virtual boost::asio::awaitable<result<commit_outcome>> commit_exchange(exchange what) = 0;

    /// Records an error outcome for this ticket, unless the job id has an ok outcome of the same bytes or
    /// this ticket any outcome: then that one is returned. Of a user who was forgotten since nothing is
    /// recorded.
    virtual boost::asio::awaitable<result<recorded_outcome>> record_failure(failure what) = 0;

    /// Conversations with at least `trigger_turns` turns that no summary covers and no live lease.
    virtual boost::asio::awaitable<result<std::vector<conversation>>> find_due_sessions(
        std::size_t trigger_turns, base::wall_time now, std::size_t limit) = 0;

    /// When the first live lease on such a conversation ends, if it is not renewed; nothing if there is none.
    virtual boost::asio::awaitable<result<std::optional<base::wall_time>>> find_next_lease_end(
        std::size_t trigger_turns, base::wall_time now) = 0;

    /// Takes the oldest turns of a conversation for summarizing: all but the newest `keep_turns`, cut so that
    /// what stays begins with a user turn. Empty if it is not due or someone else has it.
    virtual boost::asio::awaitable<result<std::optional<summary_task>>> claim_summary(
        summary_request request) = 0;

    /// In one transaction: the summary becomes a memory and exactly these turns leave the window (marked, or
    /// deleted if `delete_turns`). False, and nothing changed, if one of the turns is covered or gone
    /// already.
    virtual boost::asio::awaitable<result<bool>> commit_summary(summary_task task, std::string summary,
                                                                bool delete_turns, base::wall_time at) = 0;

    /// Keeps a claimed conversation until `until`, unless its lease is in other hands by now.
    virtual boost::asio::awaitable<result<void>> renew_summary(summary_task const& task,
                                                               base::wall_time until) = 0;

    /// Gives a claimed conversation back without a summary; nobody retries it before `not_before`.
    virtual boost::asio::awaitable<result<void>> release_summary(summary_task task,
                                                                 base::wall_time not_before) = 0;

    /// Forgets outcomes recorded before `before`; at most `limit` rows a call. Returns how many were removed.
    virtual boost::asio::awaitable<result<std::size_t>> expire_outcomes(base::wall_time before,
                                                                        std::size_t limit) = 0;
};

}  // namespace engram::store
