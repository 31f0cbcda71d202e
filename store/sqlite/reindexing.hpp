// Texts that were stored before the search index knew them, or knew them in this way.
#pragma once

#include "store/sqlite/connection.hpp"
#include "store/text_index.hpp"

namespace engram::store {

/// Makes the index of every text and the fingerprint of every memory anew if another version of `texts` made
/// what is there, in one transaction. Takes some ten microseconds a text. Gives memories without a label one.
/// Throws sqlite_error.
void reindex_if_needed(connection& db, text_index const* texts, std::string const& file);

}  // namespace engram::store
