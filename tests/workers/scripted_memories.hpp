// The memories of people and traces in Redis that do what a test tells them, and write down what they were
// asked.
#pragma once

#include "queue/user_traces.hpp"
#include "store/memories.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace engram::test {

/// One line a call, in order, of whoever shares it.
struct journal {
    std::vector<std::string> calls;
    std::size_t failing = 0;  // the call of this number fails, counted from 1; 0: none
    bool lasting = false;     // and all that are like it

    /// Whether this call fails.
    bool note(std::string call);

private:
    std::string name_;
};

/// Knows one user, `owner`. Others have nothing.
class scripted_memories : public store::memories {
public:
    template <class T>
    using answer = store::answer<T>;

    explicit scripted_memories(journal& journal) : journal_(journal) {}

    answer<store::page<store::memory_record>> list_memories(std::string user_id, std::string type, bool past,
                                                            store::page_request which,
                                                            base::wall_time now) override;
    answer<store::search_result> find(std::string user_id, store::search_query query,
                                      store::known_turns known, base::wall_time now) override;
    answer<std::optional<store::memory_history>> read_history(std::string user_id,
                                                              std::int64_t memory_id) override;
    answer<store::page<store::session_record>> list_sessions(std::string user_id,
                                                             store::page_request which) override;
    answer<std::optional<store::page<store::turn_record>>> read_session(store::conversation which,
                                                                        store::page_request page) override;
    answer<store::page<store::exported>> export_user(std::string user_id, store::page_request which) override;
    answer<store::totals> count(std::string user_id) override;
    answer<store::changed_memory> add_memory(std::string user_id, store::new_memory what,
                                             base::wall_time at) override;
    answer<std::optional<store::changed_memory>> change_memory(std::string user_id, store::memory_change what,
                                                               base::wall_time at) override;
    answer<std::optional<store::memory_record>> restore_memory(std::string user_id, std::int64_t memory_id,
                                                               base::wall_time at) override;
    answer<std::optional<store::erased>> delete_memory(std::string user_id, std::int64_t memory_id,
                                                       base::wall_time at) override;
    answer<std::optional<store::erasure_preview>> preview_deletion(std::string user_id,
                                                                   std::int64_t memory_id) override;
    answer<std::optional<store::erased>> delete_session(store::conversation which, bool memories,
                                                        base::wall_time at) override;
    answer<store::erased> forget_user(std::string user_id, store::finished_jobs jobs,
                                      base::wall_time at) override;
    answer<std::optional<store::pending_erasure>> claim_erasure(base::wall_time now,
                                                                base::wall_time until) override;
    answer<void> settle_erasure(std::int64_t id, store::erasure_state state, base::wall_time due) override;

    std::string owner = "u";
    std::vector<store::memory_record> memories;  // of the owner, and so on
    std::vector<store::turn_record> turns;
    std::vector<store::session_record> sessions;
    std::vector<store::memory_source> sources;
    store::search_result found;
    store::totals totals;
    store::changed_memory changed;
    store::erased
        erased;  // by the next call that erases; then nothing is left but the jobs that it is to keep
    store::erasure_preview preview;
    std::vector<store::pending_erasure> pending;  // to be claimed, one after the other
    std::vector<base::wall_time> due;             // as erasures were settled
    store::error_kind failure = store::error_kind::unavailable;
    bool damaged = false;

    store::new_memory added;
    store::memory_change change;
    store::search_query searched;
    store::known_turns known;
    base::wall_time searched_at{};

private:
    template <class T>
    std::optional<store::result<T>> refusal(std::string call);
    [[nodiscard]] bool has(std::int64_t memory_id) const;

    journal& journal_;
};

/// Jobs that wait, and what was done about them.
class scripted_traces : public queue::user_traces {
public:
    explicit scripted_traces(journal& journal) : journal_(journal) {}

    answer<std::vector<queue::user_job>> find_jobs(std::string user_id, std::size_t limit) override;
    answer<bool> cancel(queue::user_job what, std::string reply_to, std::string reply) override;
    answer<std::size_t> erase_replies(queue::ended_jobs what) override;
    answer<std::size_t> erase_dead_letters(std::string user_id) override;

    std::vector<queue::user_job> waiting;
    bool stubborn = false;                    // they cannot be cancelled
    std::map<std::string, std::string> told;  // reply key -> reply
    std::size_t replies = 0, dead_letters = 0;
    std::vector<queue::ended_jobs> erased;
    redis::error_kind failure = redis::error_kind::disconnected;

private:
    journal& journal_;
};

}  // namespace engram::test
