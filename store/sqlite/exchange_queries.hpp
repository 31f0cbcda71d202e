// The chat turn's writes: an exchange with its outcome, a failure, and forgetting both.
#pragma once

#include "store/conversations.hpp"
#include "store/sqlite/memory_writer.hpp"
#include "store/sqlite/outcome_queries.hpp"
#include "store/sqlite/outdating.hpp"
#include "store/sqlite/text_analysis.hpp"

namespace engram::store {

/// Statements on the writing connection, which must outlive them. Each call belongs inside a transaction and
/// is undone with it. Throws sqlite_error, and what `compose_reply` throws.
class exchange_queries {
public:
    exchange_queries(connection& db, user_writer& users, recall_index& index, memory_writer& memories,
                     outdated_summaries& outdated);

    [[nodiscard]] commit_outcome commit_exchange(exchange const& what, analysed_exchange const& texts);
    [[nodiscard]] recorded_outcome record_failure(failure const& what);
    [[nodiscard]] std::size_t expire_outcomes(base::wall_time before, std::size_t limit);

private:
    std::int64_t window_turns(conversation const& of, bool& known);
    std::size_t count_turns(exchange const& what, std::string const& at);
    void add_turns(user_row& user, exchange const& what, std::vector<std::string> const& entries,
                   memory_origin& origin, std::string_view at);
    std::int64_t add_turn(exchange const& what, new_turn const& turn, std::optional<std::int64_t> item,
                          std::string_view at);
    std::vector<saved_memory> note_memories(user_row& user, exchange const& what,
                                            std::vector<analysed_text> const& texts,
                                            memory_origin const& origin, std::size_t& unknown_labels);

    connection& db_;
    user_writer& users_;
    recall_index& index_;
    memory_writer& memories_;
    outdated_summaries& outdated_;
    outcome_queries outcomes_;
    statement find_session_;
    statement add_session_;
    statement update_session_;
    statement add_turn_;
    statement add_finished_;
    statement unsay_failed_;
    statement add_failed_;
    statement expire_finished_;
    statement expire_failed_;
};

}  // namespace engram::store
