// What is done now and then, off the path of any turn.
#pragma once

#include "store/sqlite/memory_rows.hpp"
#include "store/sqlite/memory_writer.hpp"
#include "store/upkeep.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace engram::store {

/// Statements on the writing connection, which must outlive them. Each call belongs inside a transaction and
/// is undone with it. Throws sqlite_error.
class upkeep_queries {
public:
    upkeep_queries(connection& db, user_writer& users, recall_index& index);

    [[nodiscard]] std::size_t expire_memories(base::wall_time now, std::size_t limit);
    [[nodiscard]] std::optional<consolidation_task> claim_consolidation(std::size_t least_new,
                                                                        base::wall_time before,
                                                                        base::wall_time now,
                                                                        base::wall_time until);
    [[nodiscard]] std::vector<unembedded> find_unembedded(std::string const& model, std::size_t limit);
    void store_vectors(std::string const& model, std::vector<embedded> const& vectors);

private:
    std::int64_t number_of_model(std::string const& model);
    struct user_behind {
        std::int64_t key, from, end;  ///< by items
        bool same_model;
    };
    std::vector<user_behind> users_behind(std::int64_t model);
    std::int64_t find_unembedded_of(user_behind const& user, std::int64_t model, std::size_t limit,
                                    std::size_t& most_passed, std::vector<unembedded>& found);
    bool has_come_to(std::int64_t user_key, std::int64_t model, std::int64_t item);
    unembedded read_text(std::int64_t place, bool is_memory, std::vector<std::int64_t> const& rows);
    std::vector<memory_record> current_memories(std::string const& user_id, base::wall_time now);

    connection& db_;
    user_writer& users_;
    recall_index& index_;
    statement expired_;
    statement remove_memory_;
    statement remove_sources_;
    statement due_users_;
    statement claim_;
    statement memories_;
    statement model_;
    statement add_model_;
    statement behind_users_;
    statement older_model_users_;
    statement newer_model_users_;
    statement begin_model_;
    statement entries_;
    statement turn_text_;
    statement memory_text_;
    statement add_vector_;
    statement has_vector_;
    statement embedded_items_;
    statement advance_;
};

/// See upkeep::newest_outcome(); on any connection, which must outlive it. Throws sqlite_error.
class newest_outcome {
public:
    explicit newest_outcome(connection& db);
    /// Three look-ups, whatever there is.
    [[nodiscard]] std::optional<base::wall_time> find();

private:
    statement job_, turn_, memory_;
};

}  // namespace engram::store
