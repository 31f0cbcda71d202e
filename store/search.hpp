// The search: find(user, query, known) gives the texts of one user that have to do with a query, without the
// turns that stand in the prompt already.
//
// It is one operation, so that an engine decides where it searches. The two places from which it is called,
// memories::find() for people and conversations::load_context() for a turn, know no more than this header.
// An engine may
//   - read the entries that its text_index made of each text (store/text_index.hpp) and show them to a
//     ranker of that index, as SQLite does, or keep them decoded in a cache of its own and show them from
//     there;
//   - search where the data is: it has the text of the query, and the vector, as a stored vector is.
// Whatever it does, it finds only what is committed, and nothing of another user.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_set>

namespace engram::store {

struct search_query {
    std::string text;                  ///< the new message, or what somebody looks for
    std::size_t limit = 0;             ///< the most texts to be found; 0: nothing is searched
    std::string vector, vector_model;  ///< of `text`, and what made it; may be empty: then by words alone
};

struct ranked_item {
    std::int64_t id = 0;  ///< as indexed_item::id while a search goes on
    double score = 0;
    std::string why;
    bool answer = false;  ///< of an exchange, the answer fits better than the message
};

/// Ids of turns that are not to be found: they stand in the prompt already.
using known_turns = std::unordered_set<std::int64_t>;

}  // namespace engram::store
