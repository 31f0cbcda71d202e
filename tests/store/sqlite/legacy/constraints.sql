-- Whatever would refuse our rows, or the rebuilding.
CREATE TABLE users (id TEXT PRIMARY KEY);
INSERT INTO users VALUES ('ada');
CREATE TABLE long_term_memory (
    id INTEGER PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    memory_type TEXT NOT NULL CHECK (memory_type IN ('fact', 'preference')),
    content TEXT NOT NULL UNIQUE ON CONFLICT REPLACE CHECK (length(content) < 20),
    created_at DATETIME NOT NULL DEFAULT (datetime('now')),
    updated_at DATETIME NOT NULL DEFAULT (datetime('now')),
    importance REAL NOT NULL CHECK (importance BETWEEN 0 AND 1),
    UNIQUE (user_id, memory_type, content)
);
CREATE TABLE conversation_history (
    id INTEGER PRIMARY KEY,
    session_id VARCHAR(8) NOT NULL COLLATE NOCASE,
    user_id VARCHAR(8) NOT NULL COLLATE NOCASE REFERENCES users(id),
    role VARCHAR(10) NOT NULL CHECK (role IN ('user', 'assistant')),
    content TEXT NOT NULL,
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (session_id, role, content)
);
CREATE TABLE pinned (turn INTEGER REFERENCES conversation_history(id) ON DELETE CASCADE, note TEXT);
CREATE TABLE log (what TEXT);
CREATE VIEW recent AS SELECT id, content FROM conversation_history ORDER BY id DESC LIMIT 5;
CREATE VIEW broken AS SELECT no_such_column FROM long_term_memory;
CREATE INDEX by_length ON conversation_history(length(content)) WHERE role = 'user';
INSERT INTO long_term_memory VALUES (7, 'ada', 'fact', 'name is Ada', '2023', '2023', 0.5),
                                    (9, 'ada', 'preference', 'tea', '2023', '2023', 1);
INSERT INTO conversation_history VALUES (1, 's', 'ada', 'user', 'one', 'then'), (2, 's', 'ada', 'assistant', 'two', 'then');
INSERT INTO pinned VALUES (1, 'keep'), (2, 'keep too');
CREATE TRIGGER no_delete BEFORE DELETE ON conversation_history BEGIN SELECT raise(ABORT, 'never'); END;
CREATE TRIGGER no_insert BEFORE INSERT ON conversation_history BEGIN SELECT raise(ABORT, 'never'); END;
CREATE TRIGGER no_memory AFTER INSERT ON long_term_memory BEGIN SELECT raise(ABORT, 'never'); END;
CREATE TRIGGER on_pin AFTER INSERT ON pinned BEGIN
    INSERT INTO log SELECT content FROM conversation_history WHERE id = new.turn; END;
