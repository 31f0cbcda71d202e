PRAGMA page_size = 1024;
PRAGMA journal_mode = WAL;
CREATE TABLE long_term_memory (
    id INTEGER PRIMARY KEY, user_id TEXT, memory_type TEXT, content TEXT, created_at TEXT, updated_at TEXT);
CREATE TABLE conversation_history (
    id INTEGER PRIMARY KEY, session_id TEXT, user_id TEXT, role TEXT, content TEXT, created_at TEXT);
INSERT INTO long_term_memory VALUES (1, 'ada', 'fact', 'first', 'a', 'b');
INSERT INTO conversation_history VALUES (1, 's1', 'ada', 'user', 'one', 'a'), (2, 's1', 'ada', 'assistant', 'two', 'b');
