-- Sessions and requests that are deleted for good. They are marked at once, and nothing finds them from then on; their
-- rows are removed bit by bit afterwards, after the next start if need be.
CREATE TABLE removed_sessions (
    session INTEGER PRIMARY KEY REFERENCES sessions (number) ON DELETE CASCADE
);
CREATE TABLE removed_requests (
    request INTEGER PRIMARY KEY REFERENCES requests (number) ON DELETE CASCADE
);

-- What lists and expiry ask of a session, so that they need not read its row, in which the system prompt comes first.
DROP INDEX sessions_by_use;
CREATE INDEX sessions_by_use ON sessions (last_used_at, id, pinned, deleted_at);
