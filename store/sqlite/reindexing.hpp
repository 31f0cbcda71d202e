// Texts that were stored before the search index knew them, or knew them in this way.
#pragma once

#include "store/sqlite/connection.hpp"
#include "store/sqlite/opening.hpp"
#include "store/text_index.hpp"

namespace engram::store {

/// Makes the index of every text and the fingerprint of every memory anew if another version of `texts` made
/// what is there. Takes some ten microseconds a text. Gives memories without a label one.
///
/// It does so in slices, each a transaction that notes in the database where the next one begins: after an
/// end at any moment the next call carries on there, and several processes may do it together. Throws
/// sqlite_error, and open_stopped between two slices.
void reindex_if_needed(connection& db, text_index const* texts, std::string const& file, opening& under_way);

}  // namespace engram::store
