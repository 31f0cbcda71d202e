CREATE TABLE conversation_history (
    id INTEGER PRIMARY KEY, session_id TEXT, user_id TEXT, role TEXT, content TEXT, created_at TEXT);
INSERT INTO conversation_history VALUES (100, 's1', 'ada', 'user', 'one', 'a'), (200, 's1', 'ada', 'assistant', 'two', 'b');
