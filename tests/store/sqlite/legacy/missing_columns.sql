-- Less than we know of: no id, no times, no type.
CREATE TABLE long_term_memory (user_id TEXT, content TEXT);
CREATE TABLE conversation_history (session_id TEXT, user_id TEXT, role TEXT, content TEXT);
INSERT INTO long_term_memory VALUES ('ada', 'first'), ('ada', 'second');
INSERT INTO conversation_history VALUES ('s1', 'ada', 'user', 'one'), ('s1', 'ada', 'assistant', 'two');
