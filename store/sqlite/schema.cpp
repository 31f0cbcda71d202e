#include "store/sqlite/schema.hpp"

namespace engram::store {
namespace {

// Columns without a declared type keep every value as it is stored: older software wrote texts, numbers and
// blobs there, and none of them may change by being copied. Keys are text, so that a user 42 is the user
// "42".
constexpr column_definition memory_columns[] = {
    {"id", "INTEGER PRIMARY KEY AUTOINCREMENT"},  // an id is never used again
    {"user_id", "TEXT"},
    {"memory_type", "TEXT"},
    {"content", ""},
    {"created_at", ""},
    {"updated_at", ""},
    {"session_id", "TEXT"},
    {"job_id", "TEXT"},
};

constexpr column_definition history_columns[] = {
    {"id", "INTEGER PRIMARY KEY AUTOINCREMENT"},
    {"session_id", "TEXT"},
    {"user_id", "TEXT"},
    {"role", "TEXT"},
    {"content", ""},
    {"created_at", ""},
    {"job_id", "TEXT"},
    {"summary_id", "INTEGER"},  // the memory that covers this turn; NULL: in the window
};

constexpr column_definition memory_columns_2[] = {
    {"label", "INTEGER"},     // this user's short number, the same for all versions of a memory
    {"item", "INTEGER"},      // its place in the search index; NULL: it is not in there
    {"fingerprint", "BLOB"},  // to compare it with others
    {"last_seen", "TEXT"},
    {"times_seen", "INTEGER NOT NULL DEFAULT 1"},
    {"valid_from", "TEXT"},
    {"valid_to", "TEXT"},  // NULL: it holds now
    {"superseded_by", "INTEGER"},
    {"expires_at", "INTEGER"},
    {"pinned", "INTEGER NOT NULL DEFAULT 0"},
};

constexpr column_definition history_columns_2[] = {
    {"item", "INTEGER"},
};

constexpr table_definition memories{"long_term_memory", memory_columns};
constexpr table_definition history{"conversation_history", history_columns};

}  // namespace

table_definition const& memory_table() {
    return memories;
}
table_definition const& history_table() {
    return history;
}

std::span<column_definition const> memory_columns_of_version_2() {
    return memory_columns_2;
}
std::span<column_definition const> history_columns_of_version_2() {
    return history_columns_2;
}

// engram_recall and engram_vector are read in ranges of one user, whose number is the upper part of `place`.
std::string version_2_sql() {
    return R"sql(
CREATE INDEX engram_memory_current ON long_term_memory(user_id) WHERE valid_to IS NULL;
CREATE INDEX engram_memory_current_type ON long_term_memory(user_id, memory_type) WHERE valid_to IS NULL;
CREATE INDEX engram_memory_past ON long_term_memory(user_id) WHERE valid_to IS NOT NULL;
CREATE INDEX engram_memory_pinned ON long_term_memory(user_id) WHERE pinned = 1 AND valid_to IS NULL;
CREATE INDEX engram_memory_by_label ON long_term_memory(user_id, label);
CREATE INDEX engram_memory_expiry ON long_term_memory(expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX engram_memory_superseded ON long_term_memory(superseded_by) WHERE superseded_by IS NOT NULL;

CREATE TABLE engram_memory_source(
    memory_id INTEGER NOT NULL,
    user_turn INTEGER NOT NULL,
    assistant_turn INTEGER NOT NULL,
    session_id TEXT NOT NULL,
    job_id TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (memory_id, user_turn)
) WITHOUT ROWID;
CREATE INDEX engram_memory_source_by_turn ON engram_memory_source(user_turn);
INSERT INTO engram_memory_source(memory_id, user_turn, assistant_turn, session_id, job_id, at)
SELECT m.id, min(t.id), max(t.id), m.session_id, m.job_id, coalesce(CAST(m.created_at AS TEXT), '')
FROM long_term_memory m
JOIN conversation_history t ON t.user_id = m.user_id AND t.session_id = m.session_id AND t.job_id = m.job_id
WHERE m.job_id <> '' GROUP BY m.id;

CREATE TABLE engram_user(
    user_key INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    user_id TEXT,
    next_label INTEGER NOT NULL DEFAULT 1,
    next_item INTEGER NOT NULL DEFAULT 0,
    notes INTEGER NOT NULL DEFAULT 0,
    deletions INTEGER NOT NULL DEFAULT 0,
    forgets INTEGER NOT NULL DEFAULT 0,
    forgotten_at INTEGER NOT NULL DEFAULT 0,
    consolidated_at INTEGER NOT NULL DEFAULT 0,
    consolidation_until INTEGER NOT NULL DEFAULT 0,
    vector_model INTEGER NOT NULL DEFAULT 0,
    embedded_items INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX engram_user_notes ON engram_user(notes) WHERE notes >= 1;

CREATE TABLE engram_recall(place INTEGER PRIMARY KEY, entries BLOB NOT NULL);
CREATE TABLE engram_vector(place INTEGER PRIMARY KEY, model INTEGER NOT NULL, vector BLOB NOT NULL);
CREATE TABLE engram_vector_model(model INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE engram_state(name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

ALTER TABLE engram_finished_job ADD COLUMN reply_to TEXT NOT NULL DEFAULT '';
CREATE INDEX engram_finished_job_by_user ON engram_finished_job(user_id);
CREATE INDEX engram_failed_delivery_by_user ON engram_failed_delivery(user_id);
)sql";
}

// A reply that cannot be read was taken for an internal error without a message before, too.
std::string version_3_sql() {
    return R"sql(
ALTER TABLE engram_failed_delivery ADD COLUMN error_type TEXT NOT NULL DEFAULT 'internal';
ALTER TABLE engram_failed_delivery ADD COLUMN error_message TEXT NOT NULL DEFAULT '';
UPDATE engram_failed_delivery SET
    error_type = CASE WHEN json_type(reply, '$.error.type') = 'text'
                      THEN json_extract(reply, '$.error.type') ELSE error_type END,
    error_message = CASE WHEN json_type(reply, '$.error.message') = 'text'
                         THEN json_extract(reply, '$.error.message') ELSE error_message END
WHERE CASE WHEN json_valid(reply) THEN json_type(reply, '$.error') = 'object' ELSE 0 END;
)sql";
}

// engram_erasure_trace.kind: 0 the key of a reply, 1 the id of a job.
std::string version_4_sql() {
    return R"sql(
CREATE TABLE engram_erasure(
    erasure INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    begun_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    cleaned INTEGER NOT NULL DEFAULT 0,
    memories INTEGER NOT NULL,
    turns INTEGER NOT NULL,
    summaries INTEGER NOT NULL,
    index_entries INTEGER NOT NULL,
    vectors INTEGER NOT NULL,
    replies INTEGER NOT NULL,
    sessions INTEGER NOT NULL
);
CREATE INDEX engram_erasure_by_user ON engram_erasure(user_id);
CREATE INDEX engram_erasure_by_due ON engram_erasure(due_at);
CREATE TABLE engram_erasure_trace(
    erasure INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (erasure, kind, name)
) WITHOUT ROWID;

CREATE INDEX engram_user_unembedded ON engram_user(vector_model) WHERE embedded_items < next_item;
CREATE INDEX engram_user_by_model ON engram_user(vector_model);
CREATE INDEX engram_session_by_lease ON engram_session(summary_until) WHERE summary_until > 0;
)sql";
}

// engram_memory_profile is read from both ends. Of this program's own rows none is in engram_*_foreign. Rows
// that other software has written since its tables were taken over get what an adoption gives them, but for
// their entries: those come with the index, which is made anew of all up to the noted ids. Memories of tables
// that are taken over right now stay as they are: the mark of this program comes last.
std::string version_5_sql() {
    return R"sql(
CREATE INDEX engram_memory_profile ON long_term_memory(user_id)
    WHERE valid_to IS NULL AND memory_type IS NOT 'summary';
CREATE INDEX engram_memory_confirmed ON long_term_memory(user_id, times_seen)
    WHERE times_seen > 1 AND valid_to IS NULL AND memory_type IS NOT 'summary';
CREATE INDEX engram_memory_foreign ON long_term_memory(label) WHERE label IS NULL;
CREATE INDEX engram_history_foreign ON conversation_history(job_id) WHERE job_id IS NULL;
UPDATE conversation_history SET
    user_id = CASE typeof(user_id) WHEN 'blob' THEN CAST(user_id AS TEXT) ELSE user_id END,
    session_id = CASE typeof(session_id) WHEN 'blob' THEN CAST(session_id AS TEXT) ELSE session_id END,
    role = CASE typeof(role) WHEN 'blob' THEN CAST(role AS TEXT) ELSE role END
WHERE job_id IS NULL AND 'blob' IN (typeof(user_id), typeof(session_id), typeof(role));
UPDATE long_term_memory SET
    user_id = CASE typeof(user_id) WHEN 'blob' THEN CAST(user_id AS TEXT) ELSE user_id END,
    session_id = CASE typeof(session_id) WHEN 'blob' THEN CAST(session_id AS TEXT) ELSE session_id END,
    memory_type = CASE WHEN coalesce(memory_type, '') IN ('', x'') THEN 'fact'
                       WHEN typeof(memory_type) = 'blob' THEN CAST(memory_type AS TEXT) ELSE memory_type END
WHERE label IS NULL AND (SELECT application_id FROM pragma_application_id) = 0x454E474D
    AND ('blob' IN (typeof(user_id), typeof(session_id), typeof(memory_type)) OR coalesce(memory_type, '') = '');
INSERT OR REPLACE INTO engram_state(name, value)
SELECT 'taken_over_turns', coalesce(max(id), 0) FROM conversation_history
UNION ALL SELECT 'taken_over_memories', coalesce(max(id), 0) FROM long_term_memory;
DELETE FROM engram_state WHERE name IN ('index_version', 'reindex_version');
INSERT INTO engram_session(user_id, session_id, window_turns, updated_at)
SELECT user_id, session_id,
       (SELECT count(*) FROM conversation_history t INDEXED BY engram_history_window
        WHERE t.user_id = f.user_id AND t.session_id = f.session_id
        AND t.summary_id IS NULL AND t.role IN ('user', 'assistant')),
       coalesce(max(CAST(created_at AS TEXT)), '')
FROM conversation_history f WHERE job_id IS NULL AND user_id IS NOT NULL AND session_id IS NOT NULL
GROUP BY user_id, session_id
ON CONFLICT(user_id, session_id) DO UPDATE SET window_turns = excluded.window_turns;
)sql";
}

std::string create_table_sql(table_definition const& table, std::string_view as,
                             std::vector<std::string> const& extra) {
    std::string sql = "CREATE TABLE " + std::string(as) + "(";
    std::string_view separator;
    for (auto const& column : table.columns) {
        sql.append(separator).append(column.name).append(" ").append(column.declaration);
        separator = ", ";
    }
    for (auto const& column : extra) {
        sql.append(separator).append(column);
    }
    return sql + ")";
}

// Every index ends with the row's id without saying so, which is the order that is read.
//
// A row of the history is in one of its two indexes: a turn moves from the window to the archive when a
// summary covers it, many of one conversation at a time, so that a new turn pays for one index only.
//
// Tables whose rows may be long have a rowid: without one, long rows would sit in the inner nodes of the
// tree.
std::string create_rest_sql() {
    return R"sql(
CREATE INDEX engram_memory_by_user ON long_term_memory(user_id);
CREATE INDEX engram_memory_summaries ON long_term_memory(user_id, session_id) WHERE memory_type = 'summary';
CREATE INDEX engram_history_window ON conversation_history(user_id, session_id)
    WHERE summary_id IS NULL AND role IN ('user', 'assistant');
CREATE INDEX engram_history_archive ON conversation_history(user_id, session_id)
    WHERE summary_id IS NOT NULL OR role IS NULL OR role NOT IN ('user', 'assistant');

CREATE TABLE engram_session(
    user_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    window_turns INTEGER NOT NULL,
    updated_at TEXT NOT NULL,
    summary_owner TEXT NOT NULL DEFAULT '',
    summary_from INTEGER NOT NULL DEFAULT 0,
    summary_until INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, session_id)
) WITHOUT ROWID;
CREATE INDEX engram_session_by_window ON engram_session(window_turns);

CREATE TABLE engram_finished_job(
    job_id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    body_digest BLOB NOT NULL,
    reply TEXT NOT NULL,
    finished_at INTEGER NOT NULL
);
CREATE INDEX engram_finished_job_by_time ON engram_finished_job(finished_at);

CREATE TABLE engram_failed_delivery(
    ticket TEXT NOT NULL PRIMARY KEY,
    job_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    body_digest BLOB NOT NULL,
    reply TEXT NOT NULL,
    failed_at INTEGER NOT NULL
);
CREATE INDEX engram_failed_delivery_by_time ON engram_failed_delivery(failed_at);
)sql";
}

std::string fill_sessions_sql() {
    return R"sql(
INSERT INTO engram_session(user_id, session_id, window_turns, updated_at)
SELECT user_id, session_id,
       count(*) FILTER (WHERE summary_id IS NULL AND role IN ('user', 'assistant')),
       coalesce(max(CAST(created_at AS TEXT)), '')
FROM conversation_history
WHERE user_id IS NOT NULL AND session_id IS NOT NULL
GROUP BY user_id, session_id;
)sql";
}

}  // namespace engram::store
