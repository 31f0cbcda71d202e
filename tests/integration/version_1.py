"""A database as engram kept it before memories had versions: schema version 1."""

import contextlib
import sqlite3

TABLES = """
CREATE TABLE long_term_memory(id INTEGER PRIMARY KEY AUTOINCREMENT, user_id TEXT, memory_type TEXT, content,
    created_at, updated_at, session_id TEXT, job_id TEXT);
CREATE TABLE conversation_history(id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT, user_id TEXT,
    role TEXT, content, created_at, job_id TEXT, summary_id INTEGER);
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
"""
SESSIONS = """
INSERT INTO engram_session(user_id, session_id, window_turns, updated_at)
SELECT user_id, session_id, count(*), max(created_at) FROM conversation_history GROUP BY user_id, session_id;
"""
APPLICATION_ID = 0x454E474D
AT = "2025-03-01 12:00:00.000"


def write_version_1(path, turns, memories):
    """`turns`: user, session, role, text. `memories`: user, type, text."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript(TABLES)
        db.executemany(
            "INSERT INTO conversation_history(user_id, session_id, role, content, created_at, job_id) "
            f"VALUES (?, ?, ?, ?, '{AT}', '')",
            turns,
        )
        db.executemany(
            "INSERT INTO long_term_memory(user_id, memory_type, content, created_at, updated_at, session_id, "
            f"job_id) VALUES (?, ?, ?, '{AT}', '{AT}', '', '')",
            memories,
        )
        db.executescript(SESSIONS + f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1;")
