-- The common form.
CREATE TABLE long_term_memory (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id TEXT NOT NULL,
    memory_type TEXT NOT NULL,
    content TEXT NOT NULL,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE conversation_history (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    role TEXT NOT NULL,
    content TEXT NOT NULL,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX idx_memory_user ON long_term_memory(user_id);
CREATE INDEX idx_history_session ON conversation_history(session_id);
INSERT INTO long_term_memory(user_id, memory_type, content, created_at, updated_at) VALUES
    ('ada', 'fact', 'My name is Ada', '2023-05-01 10:00:00', '2023-05-01 10:00:00'),
    ('ada', 'preference', 'likes ☕ and short answers', '2023-05-02 10:00:00', '2023-05-03 10:00:00'),
    ('bob', 'fact', 'works at "Acme"', '2023-05-02 11:00:00', '2023-05-02 11:00:00'),
    ('ada', 'summary', 'They spoke of tea.', '2023-05-04 10:00:00', '2023-05-04 10:00:00'),
    ('ada', 'fact', 'gone', '2023-05-04 10:00:00', '2023-05-04 10:00:00');
DELETE FROM long_term_memory WHERE content = 'gone';
INSERT INTO conversation_history(session_id, user_id, role, content, created_at) VALUES
    ('s1', 'ada', 'user', 'hello', '2023-05-01 10:00:00'),
    ('s1', 'ada', 'assistant', 'hi', '2023-05-01 10:00:01'),
    ('s2', 'bob', 'user', 'hello too', '2023-05-01 10:00:02'),
    ('s2', 'bob', 'assistant', 'hi too', '2023-05-01 10:00:03'),
    ('s1', 'ada', 'user', 'and?', '2023-05-01 10:00:04'),
    ('s1', 'ada', 'assistant', '', '2023-05-01 10:00:05');
PRAGMA user_version = 3;
