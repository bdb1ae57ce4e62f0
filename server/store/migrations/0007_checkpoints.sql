-- A session keeps one id. What an answer names is a checkpoint: so many messages of a session. The ids that a session
-- had before are checkpoints already.
CREATE TABLE checkpoints (
    id TEXT PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES sessions (number) ON DELETE CASCADE,
    message_count INTEGER NOT NULL -- so many of the session's messages belong to that id
) WITHOUT ROWID;
CREATE INDEX checkpoints_by_session ON checkpoints (session);
INSERT INTO checkpoints SELECT id, session, message_count FROM former_ids;
DROP TABLE former_ids;

-- The id of a session that no client has named is that of its last answer. A client may hold it, so that it becomes a
-- checkpoint, too, and the session gets an id of its own.
INSERT INTO checkpoints SELECT id, number, message_count FROM sessions WHERE NOT explicit;
UPDATE sessions SET id = 'ses_' || lower(hex(randomblob(16))) WHERE NOT explicit;
