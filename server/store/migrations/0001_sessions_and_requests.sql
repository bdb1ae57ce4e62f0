-- The numbers of sessions, messages and requests are integer primary keys because the search indexes refer to
-- rows by them: a bare rowid may change when the file is vacuumed.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE sessions (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    renamed INTEGER NOT NULL DEFAULT 0, -- 1: the title is the user's own
    client TEXT NOT NULL,
    model TEXT NOT NULL,
    system TEXT NOT NULL, -- JSON array of texts
    created_at REAL NOT NULL,
    last_used_at REAL NOT NULL,
    pinned INTEGER NOT NULL DEFAULT 0,
    digest TEXT NOT NULL, -- of the system prompt and all messages
    history_digest TEXT NOT NULL, -- of all messages alone
    turn_count INTEGER NOT NULL, -- turns in canonical form: neighbours of one role are one turn
    message_count INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL DEFAULT 0, -- the cached ones included
    output_tokens INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX sessions_by_use ON sessions (last_used_at, id);
CREATE INDEX sessions_by_digest ON sessions (digest);

CREATE TABLE messages (
    number INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES sessions (number) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    role TEXT NOT NULL,
    text TEXT NOT NULL, -- the text blocks, for the search index
    created_at REAL NOT NULL,
    content TEXT NOT NULL, -- JSON array of blocks; last, since it may be long
    UNIQUE (session, position)
);

CREATE TABLE requests (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    started_at REAL NOT NULL,
    endpoint TEXT NOT NULL,
    client TEXT NOT NULL,
    requested_model TEXT,
    model TEXT,
    session_id TEXT,
    backend TEXT,
    stream INTEGER NOT NULL,
    status TEXT NOT NULL,
    http_status INTEGER,
    ttft REAL,
    duration REAL,
    input_tokens INTEGER,
    output_tokens INTEGER,
    cache_read_tokens INTEGER,
    cache_write_tokens INTEGER,
    cost_usd REAL,
    stop_reason TEXT,
    error TEXT,
    warnings TEXT NOT NULL, -- JSON array of texts
    request_body TEXT, -- the bodies are last, so that a list does not read them
    response_body TEXT
);
CREATE INDEX requests_by_start ON requests (started_at, id);
CREATE INDEX requests_by_status ON requests (status, started_at, id);
CREATE INDEX requests_by_session ON requests (session_id, started_at, id);

CREATE VIRTUAL TABLE title_search USING fts5 (
    title,
    content = 'sessions', content_rowid = 'number', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER session_title_added AFTER INSERT ON sessions BEGIN
    INSERT INTO title_search (rowid, title) VALUES (new.number, new.title);
END;
CREATE TRIGGER session_title_removed AFTER DELETE ON sessions BEGIN
    INSERT INTO title_search (title_search, rowid, title) VALUES ('delete', old.number, old.title);
END;
CREATE TRIGGER session_title_changed AFTER UPDATE OF title ON sessions WHEN old.title IS NOT new.title BEGIN
    INSERT INTO title_search (title_search, rowid, title) VALUES ('delete', old.number, old.title);
    INSERT INTO title_search (rowid, title) VALUES (new.number, new.title);
END;

CREATE VIRTUAL TABLE message_search USING fts5 (
    text,
    content = 'messages', content_rowid = 'number', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER message_text_added AFTER INSERT ON messages BEGIN
    INSERT INTO message_search (rowid, text) VALUES (new.number, new.text);
END;
CREATE TRIGGER message_text_removed AFTER DELETE ON messages BEGIN
    INSERT INTO message_search (message_search, rowid, text) VALUES ('delete', old.number, old.text);
END;

CREATE VIRTUAL TABLE request_search USING fts5 (
    id, client, endpoint, requested_model, model, session_id, backend, error,
    content = 'requests', content_rowid = 'number', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER request_added AFTER INSERT ON requests BEGIN
    INSERT INTO request_search (rowid, id, client, endpoint, requested_model, model, session_id, backend, error)
    VALUES (
        new.number, new.id, new.client, new.endpoint, new.requested_model, new.model, new.session_id, new.backend,
        new.error
    );
END;
CREATE TRIGGER request_removed AFTER DELETE ON requests BEGIN
    INSERT INTO request_search (
        request_search, rowid, id, client, endpoint, requested_model, model, session_id, backend, error
    )
    VALUES (
        'delete', old.number, old.id, old.client, old.endpoint, old.requested_model, old.model, old.session_id,
        old.backend, old.error
    );
END;
-- A request is written several times while it runs; most of that does not touch the indexed texts.
CREATE TRIGGER request_changed
AFTER UPDATE OF id, client, endpoint, requested_model, model, session_id, backend, error ON requests
WHEN
    old.client IS NOT new.client
    OR old.endpoint IS NOT new.endpoint
    OR old.requested_model IS NOT new.requested_model
    OR old.model IS NOT new.model
    OR old.session_id IS NOT new.session_id
    OR old.backend IS NOT new.backend
    OR old.error IS NOT new.error
BEGIN
    INSERT INTO request_search (
        request_search, rowid, id, client, endpoint, requested_model, model, session_id, backend, error
    )
    VALUES (
        'delete', old.number, old.id, old.client, old.endpoint, old.requested_model, old.model, old.session_id,
        old.backend, old.error
    );
    INSERT INTO request_search (rowid, id, client, endpoint, requested_model, model, session_id, backend, error)
    VALUES (
        new.number, new.id, new.client, new.endpoint, new.requested_model, new.model, new.session_id, new.backend,
        new.error
    );
END;
