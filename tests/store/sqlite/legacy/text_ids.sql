-- Ids that are no numbers; one table without rowids.
CREATE TABLE long_term_memory (
    id TEXT PRIMARY KEY, user_id TEXT, memory_type TEXT, content TEXT, created_at TEXT, updated_at TEXT);
CREATE TABLE conversation_history (
    id CHAR(36) PRIMARY KEY NOT NULL, session_id TEXT, user_id TEXT, role TEXT, content TEXT, created_at TEXT
) WITHOUT ROWID;
INSERT INTO long_term_memory VALUES
    ('f47ac10b', 'ada', 'fact', 'first', '2023-01-01', '2023-01-01'),
    ('0e02b2c3', 'ada', 'fact', 'second', '2023-01-02', '2023-01-02'),
    (NULL, 'ada', 'fact', 'third', '2023-01-03', '2023-01-03');
INSERT INTO conversation_history VALUES
    ('zz', 's1', 'ada', 'user', 'one', '2023-01-01T00:00:00Z'),
    ('aa', 's1', 'ada', 'assistant', 'two', '2023-01-01T00:00:01Z'),
    ('mm', 's1', 'ada', 'user', 'three', '2023-01-01T00:00:02Z');
