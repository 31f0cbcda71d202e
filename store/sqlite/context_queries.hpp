// What the reader threads of the chat turn answer.
#pragma once

#include "store/conversations.hpp"
#include "store/sqlite/outcome_queries.hpp"
#include "store/sqlite/past_queries.hpp"
#include "store/sqlite/profile_queries.hpp"
#include "store/sqlite/recall_search.hpp"
#include "store/sqlite/user_queries.hpp"

#include <vector>

namespace engram::store {

/// Statements on one reading connection, which must outlive them. Each call belongs inside a transaction, so
/// that it sees one moment: a summary committed between two of its queries would hide turns from both.
/// Every query walks an index and stops at its limit, but for the search, which reads the whole index of the
/// one user. Throws sqlite_error.
class context_queries {
public:
    /// `texts` may be null: then nothing is found for a message. It must outlive this.
    context_queries(connection& db, text_index const* texts);

    [[nodiscard]] context load_context(context_query const& query);
    [[nodiscard]] std::vector<conversation> find_due_sessions(std::size_t trigger_turns, base::wall_time now,
                                                              std::size_t limit);
    [[nodiscard]] std::optional<base::wall_time> find_next_lease_end(std::size_t trigger_turns,
                                                                     base::wall_time now);

private:
    std::vector<turn> load_turns(context_query const& query, taken_back const* past);
    void hide_past(taken_back const& past, std::vector<memory>& memories);
    void find_for_message(context_query const& query, std::int64_t user_key, taken_back const* past,
                          context& loaded);
    bool add_turns(recall_hit const& hit, std::string const& user_id, taken_back const* past,
                   context& loaded);
    bool tells_only_of_the_past(recall_hit const& hit, std::string const& user_id);

    outcome_queries outcomes_;
    user_reader users_;
    recall_search search_;
    profile_queries profile_;
    past_queries past_;
    statement found_memory_;
    statement found_turn_;
    statement past_memory_;
    statement told_by_turn_;
    statement newest_turns_;
    statement due_sessions_;
    statement leases_;
};

}  // namespace engram::store
