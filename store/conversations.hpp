// The port of the chat turn: what a prompt is made of, and what became of a job.
#pragma once

#include "base/clock.hpp"
#include "store/search.hpp"
#include "store/types.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace engram::store {

/// One delivery of one job.
struct job_key {
    std::string job_id;       ///< idempotency key, primary key of finished jobs
    std::string ticket;       ///< this push of the job; the same for each redelivery of that push
    std::string body_digest;  ///< SHA-256 of the job's bytes
};

/// How a job ended, as recorded earlier.
struct recorded_outcome {
    bool ok = false;                 ///< an ok reply, else an error reply
    bool same_body = true;           ///< recorded for the same bytes; false: the id was used for another job
    std::string reply;               ///< the reply, as it was given; empty if it was to other bytes
    std::string error_type = {};     ///< of an error, as it was given with the failure
    std::string error_message = {};  ///< empty if it was erased
};

struct context_query {
    job_key job;
    conversation of;
    std::size_t memory_limit = 500;  ///< in the list, besides its summaries; 0: there is no list
    std::size_t memory_tokens =
        4'000;                         ///< the list is long enough with so many, estimated, besides summaries
    std::size_t recent_summaries = 3;  ///< of other conversations, in the list
    std::size_t history_turns = 40;
    std::size_t history_bytes = SIZE_MAX;  ///< of the turns that are loaded, together
    base::wall_time now = {};              ///< memories that end before it are not loaded
    search_query find = {};                ///< for what has to do with the new message
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
    std::int64_t exchange = 0;  ///< id of the first turn of its exchange; 0: it stands alone
};

struct context {
    /// Set: the job has its outcome already, the rest is empty. An ok outcome of this job id, or an error
    /// outcome of this very ticket; an error outcome of an earlier ticket does not count, that job runs anew.
    std::optional<recorded_outcome> recorded;
    /// What holds now, no memory twice, those first that most deserve a place: all of this session's own
    /// summaries, oldest first; the newest `recent_summaries` of other sessions; pinned memories; then in
    /// turn the one that was confirmed most often, the newest preference, the two newest ones and the one
    /// that was noted first, each among those that are left.
    std::vector<memory> memories;
    /// The newest `history_turns` turns of the conversation that no summary covers, oldest first, as many as
    /// `history_bytes` hold.
    std::vector<turn> turns;
    /// Found for the new message, best first each: nothing that is in `turns`, but also what is in
    /// `memories`; at most `find.limit` beside those. The turns of one exchange come one behind the other and
    /// count as one.
    std::vector<found_memory> found_memories;
    std::vector<found_turn> found_turns;
    erasures seen;                   ///< to be given back with the exchange
    base::wall_time forgotten_at{};  ///< when everything of this user was last erased; the epoch: never
};

/// A turn on its way into the store.
struct new_turn {
    store::role role = store::role::user;
    std::string content;  ///< as it was said or written; may be empty
    /// What is made findable of it, if that is not `content` as it stands: an answer without its memory tags,
    /// which whoever read the answer has at hand. None for an answer: the text index takes the tags out.
    std::optional<std::string> said = {};
};

struct exchange {
    job_key job;
    conversation of;
    std::vector<new_turn> turns;  ///< in the order in which they were said
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
    recorded_outcome outcome;        ///< what to answer
    std::size_t unknown_labels = 0;  ///< notes about a memory that this user does not have, without effect
    std::size_t window_turns = 0;    ///< turns of the conversation that no summary covers, after this commit
};

struct failure {
    job_key job;
    std::string user_id;  ///< may be empty: the job did not say
    std::string reply;
    std::string error_type, error_message;  ///< as in the reply
    base::wall_time at;
    std::optional<erasures> seen = {};  ///< as the context had it, if there was one
};

class conversations {
public:
    virtual ~conversations() = default;

    /// Everything of one moment: a turn is seen either in the window or in a summary. `found_*` is what
    /// memories::find() gives for `query.find` with the loaded turns as known ones, in the same round trip,
    /// without exchanges from which something was learnt of which nothing holds any more.
    virtual answer<context> load_context(context_query query) = 0;

    /// The turns, the memories and the finished job in one transaction, unless the job id has an ok outcome
    /// or this ticket an error outcome already.
    virtual answer<commit_outcome> commit_exchange(exchange what) = 0;

    /// Records an error outcome for this ticket, unless the job id has an ok outcome of the same bytes or
    /// this ticket any outcome: then that one is returned. Of a user who was forgotten since nothing is
    /// recorded.
    virtual answer<recorded_outcome> record_failure(failure what) = 0;
};

}  // namespace engram::store
