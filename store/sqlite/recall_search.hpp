// One user's index, shown to a ranker.
#pragma once

#include "store/sqlite/connection.hpp"
#include "store/sqlite/recall_block.hpp"
#include "store/text_index.hpp"

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace engram::store {

struct recall_query {
    std::int64_t user_key = 0;
    ranker* search = nullptr;
    std::size_t limit = 0;
    std::string_view vector, vector_model;  ///< may be empty
    /// Turns and memories, by id, that are not to be found.
    std::unordered_set<std::int64_t> const* known_turns = nullptr;
    std::unordered_set<std::int64_t> const* known_memories = nullptr;
};

struct recall_hit {
    bool is_memory = false;
    std::int64_t row = 0;
    ranked_item rank;
};

/// Statements on a reading connection, which must outlive them. The cost grows with the texts of the one user
/// and with nothing else. Throws sqlite_error.
class recall_search {
public:
    explicit recall_search(connection& db);
    [[nodiscard]] std::vector<recall_hit> find(recall_query const& query);

private:
    using similarities = std::unordered_map<std::int64_t, double>;
    similarities compare_vectors(recall_query const& query);

    statement entries_;
    statement vectors_;
};

}  // namespace engram::store
