CREATE TABLE long_term_memory (
    id INTEGER PRIMARY KEY, user_id TEXT, memory_type TEXT, content TEXT, created_at TEXT, updated_at TEXT);
INSERT INTO long_term_memory VALUES (100, 'ada', 'fact', 'first', 'a', 'b');
