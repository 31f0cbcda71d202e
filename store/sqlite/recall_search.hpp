// One user's index, shown to a ranker.
#pragma once

#include "store/sqlite/connection.hpp"
#include "store/sqlite/recall_block.hpp"
#include "store/text_index.hpp"

#include <unordered_map>
#include <vector>

namespace engram::store {

struct recall_hit {
    bool is_memory = false;
    std::int64_t row = 0;             ///< id of the memory, or of the first turn of an exchange
    std::vector<std::int64_t> turns;  ///< of an exchange: all that are not known, in order
    ranked_item rank;
};

/// Statements on a reading connection, which must outlive them. `texts` may be null: then nothing is found.
/// The cost grows with the texts of the one user and with nothing else. Throws sqlite_error.
class recall_search {
public:
    recall_search(connection& db, text_index const* texts);

    /// The search of store/search.hpp. The best `limit` texts, whatever the query's own limit is; an exchange
    /// is one, and is left out if all of its turns are known.
    [[nodiscard]] std::vector<recall_hit> find(std::int64_t user_key, search_query const& query,
                                               known_turns const& known, std::size_t limit,
                                               base::wall_time now);

private:
    using similarities = std::unordered_map<std::int64_t, double>;
    similarities compare_vectors(std::int64_t user_key, search_query const& query);

    text_index const* texts_;
    statement entries_;
    statement vectors_;
};

}  // namespace engram::store
