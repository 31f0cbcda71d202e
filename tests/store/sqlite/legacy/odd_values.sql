-- Values of every kind where text is expected.
CREATE TABLE long_term_memory (id INT, user_id INTEGER, memory_type, content BLOB, created_at NUMERIC, updated_at REAL);
CREATE TABLE conversation_history (id, session_id, user_id, role, content, created_at);
INSERT INTO long_term_memory VALUES
    (1, 42, 'fact', 'text', 1700000000, 1700000000.25),
    (1, 42, NULL, x'00ff10', '2023-01-01T00:00:00+02:00', NULL),
    (-5, 42, 7, 3.75, 'yesterday', 'never'),
    (9223372036854775807, NULL, 'fact', NULL, x'6162', ''),
    (NULL, 'ada', x'66616374', CAST(x'ff41' AS TEXT), 1.5e300, 1e-9);
INSERT INTO conversation_history VALUES
    (3.5, 's1', 'ada', 'user', 'one', 1700000000),
    ('x', 's1', 'ada', 'system', 'rules', NULL),
    (NULL, 's1', 'ada', 'assistant', x'74776f', 'then'),
    (1, NULL, 'ada', 'user', 'of no session', ''),
    (2, 's1', NULL, 'user', 'of nobody', ''),
    (4, x'7331', x'616461', x'75736572', NULL, NULL),
    (5, 12, 42, 'user', 12, 12),
    (6, 's1', 'ada', NULL, 'no role', '');
