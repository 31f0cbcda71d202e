CREATE TABLE long_term_memory (
    id INTEGER PRIMARY KEY AUTOINCREMENT, user_id TEXT, memory_type TEXT, content TEXT, created_at TEXT, updated_at TEXT);
CREATE TABLE conversation_history (
    id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT, user_id TEXT, role TEXT, content TEXT, created_at TEXT);
