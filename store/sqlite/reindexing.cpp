// While the index is made engram_state holds, instead of `index_version`: for which version it is made
// (`reindex_version`), which part (`reindex_stage`) and behind which id the next slice begins
// (`reindex_after`).
//
// What another program has written and nobody has adopted is left to the adoption. Rows that were there when
// the schema came to its present version (up to `taken_over_turns` and `taken_over_memories`) look the same,
// and are indexed here.
#include "store/sqlite/reindexing.hpp"

#include "base/log.hpp"
#include "store/sqlite/exchange_indexer.hpp"
#include "store/sqlite/recall_index.hpp"
#include "store/sqlite/user_queries.hpp"

#include <optional>

namespace engram::store {
namespace {

// `index_version` of a database without a search index; its memories have their labels all the same.
constexpr std::int64_t not_indexed = 0;

// Rows of one transaction: some ten milliseconds.
constexpr std::size_t texts_a_slice = 1'000;
constexpr std::size_t old_rows_a_slice = 500;

enum class stage : std::int64_t { clearing, turns, memories };

class state_rows {
public:
    explicit state_rows(connection& db)
        : read_(db.prepare("SELECT value FROM engram_state WHERE name = ?1")),
          write_(db.prepare("INSERT OR REPLACE INTO engram_state(name, value) VALUES (?1, ?2)")),
          remove_(db.prepare("DELETE FROM engram_state WHERE name = ?1")) {}

    std::optional<std::int64_t> read(std::string_view name) {
        auto found = read_.query(name);
        return found.next() ? std::optional(found.integer(0)) : std::nullopt;
    }
    void write(std::string_view name, std::int64_t value) { write_.run(name, value); }
    void remove(std::string_view name) { remove_.run(name); }

private:
    statement read_, write_, remove_;
};

class reindexing {
public:
    reindexing(connection& db, text_index const* texts, std::int64_t wanted)
        : db_(db),
          texts_(texts),
          wanted_(wanted),
          state_(db),
          users_(db),
          index_(db, texts),
          exchanges_(db, users_, index_),
          old_entries_(db.prepare("DELETE FROM engram_recall WHERE place IN "
                                  "(SELECT place FROM engram_recall ORDER BY place LIMIT ?1)")),
          old_vectors_(db.prepare("DELETE FROM engram_vector WHERE place IN "
                                  "(SELECT place FROM engram_vector ORDER BY place LIMIT ?1)")),
          end_of_turns_(db.prepare("SELECT max(id) FROM (SELECT id FROM conversation_history WHERE id > ?1 "
                                   "ORDER BY id LIMIT ?2)")),
          clear_turns_(db.prepare("UPDATE conversation_history SET item = NULL "
                                  "WHERE id > ?1 AND id <= ?2 AND item IS NOT NULL")),
          turns_(db.prepare("SELECT id, user_id, session_id, job_id, role, content, created_at "
                            "FROM conversation_history WHERE user_id IS NOT NULL AND id > ?1 AND id <= ?2 "
                            "AND role IN ('user', 'assistant') AND (job_id IS NOT NULL OR id <= ?3) "
                            "ORDER BY id")),
          end_of_memories_(db.prepare("SELECT max(id) FROM (SELECT id FROM long_term_memory WHERE id > ?1 "
                                      "ORDER BY id LIMIT ?2)")),
          clear_memories_(db.prepare(
              "UPDATE long_term_memory SET last_seen = coalesce(last_seen, CAST(created_at AS TEXT)), "
              "valid_from = coalesce(valid_from, CAST(created_at AS TEXT)), item = NULL "
              "WHERE id > ?1 AND id <= ?2")),
          memories_(db.prepare("SELECT id, user_id, session_id, content, created_at, label, valid_to "
                               "FROM long_term_memory WHERE user_id IS NOT NULL AND id > ?1 AND id <= ?2 "
                               "AND (label IS NOT NULL OR id <= ?3) ORDER BY id")),
          note_memory_(db.prepare("UPDATE long_term_memory SET item = ?2, label = ?3, fingerprint = ?4 "
                                  "WHERE id = ?1")) {}

    // Does the next slice, in a transaction. Returns whether there is nothing left to do.
    bool slice() {
        auto const made = state_.read("index_version");
        if (made == wanted_) return true;
        if (made && texts_ == nullptr) {
            // What is there stays; what is written without an index from now on has to be indexed one day.
            state_.write("index_version", not_indexed);
            return true;
        }
        if (state_.read("reindex_version") != wanted_) {
            state_.remove("index_version");
            state_.write("reindex_version", wanted_);
            go_on_at(stage::clearing, -1);
        }
        switch (static_cast<stage>(state_.read("reindex_stage").value_or(0))) {
            case stage::clearing:
                clear();
                return false;
            case stage::turns:
                index_turns();
                return false;
            case stage::memories:
                break;
        }
        return index_memories();
    }

    [[nodiscard]] std::size_t done() const { return done_; }

    // How many there are, and of them how many an earlier process has done.
    std::pair<std::size_t, std::size_t> survey() {
        auto const count = [&](std::string const& sql) {
            return static_cast<std::size_t>(db_.query_integer(sql));
        };
        auto const turns = count("SELECT count(*) FROM conversation_history");
        auto const memories = count("SELECT count(*) FROM long_term_memory");
        std::size_t before = 0;
        if (state_.read("reindex_version") == wanted_) {
            auto const at = static_cast<stage>(state_.read("reindex_stage").value_or(0));
            auto const after = std::to_string(state_.read("reindex_after").value_or(-1));
            if (at == stage::turns)
                before = count("SELECT count(*) FROM conversation_history WHERE id <= " + after);
            if (at == stage::memories)
                before = turns + count("SELECT count(*) FROM long_term_memory WHERE id <= " + after);
        }
        return {turns + memories, before};
    }

private:
    void go_on_at(stage which, std::int64_t after) {
        state_.write("reindex_stage", static_cast<std::int64_t>(which));
        state_.write("reindex_after", after);
    }

    void clear() {
        old_entries_.run(old_rows_a_slice);
        auto removed = db_.changes();
        old_vectors_.run(old_rows_a_slice);
        removed += db_.changes();
        if (removed > 0) return;
        db_.execute("UPDATE engram_user SET next_item = 0, embedded_items = 0");
        go_on_at(stage::turns, -1);
    }

    // The last id of the slice behind `after`; none: there is nothing behind it.
    static std::optional<std::int64_t> end_of_slice(statement& ends, std::int64_t after) {
        auto found = ends.query(after, texts_a_slice);
        return found.next() && !found.is_null(0) ? std::optional(found.integer(0)) : std::nullopt;
    }

    void index_turns() {
        auto const after = state_.read("reindex_after").value_or(-1);
        auto const end = end_of_slice(end_of_turns_, after);
        if (!end) {
            state_.write("looked_at_turns", after);
            return go_on_at(stage::memories, -1);
        }
        clear_turns_.run(after, *end);
        exchanges_.begin();
        if (texts_ != nullptr) {
            auto found = turns_.query(after, *end, state_.read("taken_over_turns").value_or(0));
            for (; found.next(); ++done_)
                exchanges_.add({found.integer(0), std::string(found.bytes(1)), std::string(found.bytes(2)),
                                std::string(found.bytes(3)), std::string(found.bytes(4)), found.text(5),
                                std::string(found.bytes(6))});
        }
        exchanges_.finish();
        go_on_at(stage::turns, *end);
    }

    bool index_memories() {
        auto const after = state_.read("reindex_after").value_or(-1);
        auto const end = end_of_slice(end_of_memories_, after);
        if (!end) {
            for (auto const* name : {"reindex_version", "reindex_stage", "reindex_after"})
                state_.remove(name);
            state_.write("index_version", wanted_);
            return true;
        }
        clear_memories_.run(after, *end);
        auto found = memories_.query(after, *end, state_.read("taken_over_memories").value_or(0));
        for (; found.next(); ++done_)
            index_memory(found);
        go_on_at(stage::memories, *end);
        return false;
    }

    void index_memory(rows const& found) {
        auto user = users_.find_or_add(found.bytes(1));
        auto const content = found.text(3);
        bool const current = found.is_null(6);
        auto const entry = current ? index_.prepare(user, content, text_kind::memory) : new_entry{};
        auto const label = found.is_null(5) ? user.next_label++ : found.integer(5);
        auto const fingerprint = texts_ != nullptr ? texts_->fingerprint(content) : std::string();
        index_.put(user, entry, true, found.integer(0),
                   found.bytes(2).empty() ? 0 : session_hash(found.bytes(2)), minutes_of(found.bytes(4)));
        note_memory_.run(found.integer(0), entry.item, label, blob{fingerprint});
        users_.save(user);
    }

    connection& db_;
    text_index const* texts_;
    std::int64_t wanted_;
    state_rows state_;
    user_writer users_;
    recall_index index_;
    exchange_indexer exchanges_;
    statement old_entries_, old_vectors_;
    statement end_of_turns_, clear_turns_, turns_;
    statement end_of_memories_, clear_memories_, memories_, note_memory_;
    std::size_t done_ = 0;
};

bool run_slice(connection& db, reindexing& all, opening& under_way) {
    under_way.when_free(db, [&] { db.execute("BEGIN IMMEDIATE"); });
    try {
        bool const last = all.slice();
        db.execute("COMMIT");
        return last;
    } catch (...) {
        if (db.in_transaction()) db.execute("ROLLBACK");
        throw;
    }
}

}  // namespace

void reindex_if_needed(connection& db, text_index const* texts, std::string const& file, opening& under_way) {
    auto const wanted = texts == nullptr ? not_indexed : std::int64_t{texts->version()};
    if (state_rows(db).read("index_version") == wanted) return;
    reindexing all(db, texts, wanted);
    auto const [texts_in_all, before] = all.survey();
    if (before > 0)
        base::log_info("the search index is made from where it was interrupted",
                       {{"file", file}, {"texts", texts_in_all}, {"done", before}});
    while (!run_slice(db, all, under_way)) {
        under_way.report({"the search index is made", before + all.done(), texts_in_all});
        under_way.check();
    }
    if (all.done() > 0) base::log_info("search index made", {{"file", file}, {"texts", all.done()}});
}

}  // namespace engram::store
