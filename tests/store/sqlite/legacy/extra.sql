-- Names in another case, columns of their own (with our names too), and tables that are called like things of ours.
CREATE TABLE Long_Term_Memory (
    "ID" INTEGER PRIMARY KEY, User_Id TEXT, MEMORY_TYPE TEXT, Content TEXT, Created_At TEXT, Updated_At TEXT,
    session_id TEXT, job_id INTEGER UNIQUE NOT NULL, "odd ""name"", (with all)" NUMERIC(10, 2) DEFAULT 5 NOT NULL,
    embedding BLOB, flag BOOLEAN, "select" VARCHAR(3), rowid TEXT, size AS (length(Content)) STORED);
CREATE TABLE "Conversation_History" (
    id INTEGER PRIMARY KEY, session_id TEXT, user_id TEXT, role TEXT, content TEXT, created_at TEXT,
    summary_id TEXT NOT NULL, legacy_summary_id INTEGER, legacy_id TEXT, tokens INTEGER, upper_role AS (upper(role)));
INSERT INTO Long_Term_Memory VALUES
    (1, 'ada', 'fact', 'first', 'a', 'b', 's1', 11, 1.50, x'00010203', 1, 'abc', 'r1'),
    (2, 'ada', 'fact', 'second', 'a', 'b', NULL, 12, '007x', NULL, 'yes', '', NULL);
INSERT INTO Conversation_History VALUES
    (1, 's1', 'ada', 'user', 'one', 'a', 'sum', 1, 'l1', 10),
    (2, 's1', 'ada', 'assistant', 'two', 'b', 'sum', NULL, 'l2', NULL);
CREATE TABLE session (id TEXT PRIMARY KEY, state TEXT);
CREATE TABLE finished_job (x);
INSERT INTO session VALUES ('s1', 'open');
INSERT INTO finished_job VALUES (1), (2);
