#include "store/sqlite/held_memories.hpp"

namespace engram::store {

held_memories::held_memories(connection& db)
    : current_(db.prepare("SELECT content FROM long_term_memory INDEXED BY engram_memory_current "
                          "WHERE user_id = ?1 AND valid_to IS NULL AND memory_type <> 'summary' "
                          "ORDER BY id DESC LIMIT ?2")) {}

void held_memories::hold_in(telltale& traces, std::string const& user_id) {
    auto found = current_.query(user_id, most);
    while (found.next())
        traces.hold(found.text(0));
}

}  // namespace engram::store
