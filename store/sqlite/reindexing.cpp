#include "store/sqlite/reindexing.hpp"

#include "base/log.hpp"
#include "store/sqlite/memory_rows.hpp"
#include "store/sqlite/recall_index.hpp"
#include "store/sqlite/user_queries.hpp"

#include <optional>

namespace engram::store {
namespace {

// What a database says that was indexed by nobody: its memories have their labels all the same.
constexpr std::int64_t not_indexed = 0;

std::optional<std::int64_t> indexed_version(connection& db) {
    auto state = db.prepare("SELECT value FROM engram_state WHERE name = 'index_version'");
    auto found = state.query();
    return found.next() ? std::optional(found.integer(0)) : std::nullopt;
}

class reindexing {
public:
    reindexing(connection& db, text_index const* texts)
        : texts_(texts), users_(db), index_(db, texts), db_(db) {}

    void run() {
        db_.execute(
            "DELETE FROM engram_recall; DELETE FROM engram_vector; "
            "UPDATE engram_user SET next_item = 0, embedded_items = 0; "
            "UPDATE conversation_history SET item = NULL WHERE item IS NOT NULL; "
            "UPDATE long_term_memory SET last_seen = coalesce(last_seen, CAST(created_at AS TEXT)), "
            "valid_from = coalesce(valid_from, CAST(created_at AS TEXT)), item = NULL");
        index_turns();
        index_memories();
        auto note =
            db_.prepare("INSERT OR REPLACE INTO engram_state(name, value) VALUES ('index_version', ?1)");
        note.run(texts_ == nullptr ? not_indexed : std::int64_t{texts_->version()});
    }

    [[nodiscard]] std::size_t texts() const { return done_; }

private:
    void index_turns() {
        if (texts_ == nullptr) return;
        auto turns = db_.prepare(
            "SELECT id, user_id, session_id, role, content, created_at "
            "FROM conversation_history WHERE user_id IS NOT NULL AND id > ?1 "
            "AND role IN ('user', 'assistant') ORDER BY id");
        auto note_item = db_.prepare("UPDATE conversation_history SET item = ?2 WHERE id = ?1");
        auto found = turns.query(std::int64_t{-1});
        for (; found.next(); ++done_) {
            auto user = users_.find_or_add(found.bytes(1));
            bool const said = role_of(found.bytes(3)) == role::user;
            auto const entry =
                index_.prepare(user, found.text(4), said ? text_kind::user_turn : text_kind::assistant_turn);
            index_.put(user, entry, false, found.integer(0), session_hash(found.bytes(2)),
                       minutes_of(found.bytes(5)));
            if (entry.item) note_item.run(found.integer(0), entry.item);
            users_.save(user);
        }
    }

    void index_memories() {
        auto memories = db_.prepare(
            "SELECT id, user_id, session_id, content, created_at, label, valid_to "
            "FROM long_term_memory WHERE user_id IS NOT NULL AND id > ?1 ORDER BY id");
        auto note = db_.prepare(
            "UPDATE long_term_memory SET item = ?2, label = ?3, fingerprint = ?4 "
            "WHERE id = ?1");
        auto found = memories.query(std::int64_t{-1});
        for (; found.next(); ++done_) {
            auto user = users_.find_or_add(found.bytes(1));
            auto const content = found.text(3);
            bool const current = found.is_null(6);
            auto const entry = current ? index_.prepare(user, content, text_kind::memory) : new_entry{};
            auto const label = found.is_null(5) ? user.next_label++ : found.integer(5);
            auto const fingerprint = texts_ != nullptr ? texts_->fingerprint(content) : std::string();
            index_.put(user, entry, true, found.integer(0),
                       found.bytes(2).empty() ? 0 : session_hash(found.bytes(2)), minutes_of(found.bytes(4)));
            note.run(found.integer(0), entry.item, label, blob{fingerprint});
            users_.save(user);
        }
    }

    text_index const* texts_;
    user_writer users_;
    recall_index index_;
    connection& db_;
    std::size_t done_ = 0;
};

}  // namespace

void reindex_if_needed(connection& db, text_index const* texts, std::string const& file) {
    auto const wanted = texts == nullptr ? not_indexed : std::int64_t{texts->version()};
    auto const known = [&] { return indexed_version(db); };
    if (known() == wanted) return;
    db.execute("BEGIN IMMEDIATE");
    try {
        auto const before = known();
        if (before && texts == nullptr) {
            // What is there stays; what is written without an index from now on has to be indexed one day.
            db.execute("UPDATE engram_state SET value = 0 WHERE name = 'index_version'");
        } else if (before != wanted) {
            reindexing all(db, texts);
            all.run();
            if (all.texts() > 0)
                base::log_info("search index made", {{"file", file}, {"texts", all.texts()}});
        }
        db.execute("COMMIT");
    } catch (...) {
        if (db.in_transaction()) db.execute("ROLLBACK");
        throw;
    }
}

}  // namespace engram::store
