// What people ask about a user: lists, searches, where something is known from.
#pragma once

#include "store/memories.hpp"
#include "store/sqlite/memory_rows.hpp"
#include "store/sqlite/recall_search.hpp"
#include "store/sqlite/user_queries.hpp"

#include <optional>

namespace engram::store {

/// Statements on one reading connection, which must outlive them. Each call belongs inside a transaction.
/// Every statement that reads a row by its id asks whose it is, too. Throws sqlite_error.
class listing_queries {
public:
    /// `texts` may be null: then find() finds nothing. It must outlive this.
    listing_queries(connection& db, text_index const* texts);

    [[nodiscard]] page<memory_record> list_memories(std::string const& user_id, std::string const& type,
                                                    bool past, page_request const& which,
                                                    base::wall_time now);
    [[nodiscard]] search_result find(std::string const& user_id, search_query const& query,
                                     known_turns const& known, base::wall_time now);
    [[nodiscard]] std::optional<memory_history> read_history(std::string const& user_id, std::int64_t memory);
    [[nodiscard]] page<session_record> list_sessions(std::string const& user_id, page_request const& which);
    [[nodiscard]] std::optional<page<turn_record>> read_session(conversation const& of,
                                                                page_request const& which);
    [[nodiscard]] totals count(std::string const& user_id);

private:
    std::vector<turn_record> read_turns(recall_hit const& hit, std::string const& user_id);
    std::vector<memory_source> read_sources(std::string const& user_id, std::int64_t label);
    std::size_t count_turns(std::string const& user_id, std::string const& session_id);
    std::vector<session_record> all_sessions(std::string const& user_id);

    connection& db_;
    user_reader users_;
    recall_search search_;
    statement memories_;
    statement current_memories_;
    statement memories_of_type_;
    statement memory_;
    statement versions_;
    statement sources_;
    statement turn_;
    statement sessions_;
    statement session_;
    statement window_count_;
    statement archive_count_;
    statement window_turns_;
    statement archive_turns_;
};

}  // namespace engram::store
