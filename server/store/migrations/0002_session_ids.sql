-- A session that a client has named by its id goes on under that id alone; no other request is taken for its next turn.
ALTER TABLE sessions ADD COLUMN explicit INTEGER NOT NULL DEFAULT 0;
UPDATE sessions SET explicit = 1 WHERE id NOT GLOB 'ses_*'; -- the ids that clients chose

-- Every turn without an id gives its session a new id. The one before stays that of the conversation as it was then:
-- a client that holds it is never shown what was said since, which may be another's.
CREATE TABLE former_ids (
    id TEXT PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES sessions (number) ON DELETE CASCADE,
    message_count INTEGER NOT NULL -- so many of the session's messages belong to that id
) WITHOUT ROWID;
CREATE INDEX former_ids_by_session ON former_ids (session);
