-- Responses and conversations of the Responses API. They belong to a session and are deleted with it: the window shows
-- and deletes sessions only. A response has none while it is generated in the background, a conversation none before
-- its first response.
CREATE TABLE conversations (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    session INTEGER REFERENCES sessions (number) ON DELETE CASCADE,
    created_at REAL NOT NULL,
    last_used_at REAL NOT NULL, -- its expiry while it has no session
    metadata TEXT NOT NULL, -- JSON object of texts
    end_position INTEGER NOT NULL DEFAULT 0 -- the position of the next item; never given twice
);
CREATE INDEX conversations_by_session ON conversations (session);

CREATE TABLE responses (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    session INTEGER REFERENCES sessions (number) ON DELETE CASCADE,
    previous_id TEXT, -- a response of the same session (of another, the items are copied); "": unknown
    conversation_id TEXT, -- whose items before history_end come before the input
    history_end INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL,
    status TEXT NOT NULL,
    body TEXT NOT NULL -- the response object as JSON, without its output
);
CREATE INDEX responses_by_session ON responses (session);
CREATE INDEX responses_by_status ON responses (status);

-- Clients that keep their history send all of it with every request, images included: equal items are stored once.
CREATE TABLE item_contents (
    number INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE, -- SHA-256 of the content
    content TEXT NOT NULL -- JSON object without its id
);

CREATE TABLE response_items (
    number INTEGER PRIMARY KEY,
    response INTEGER REFERENCES responses (number) ON DELETE CASCADE,
    conversation INTEGER REFERENCES conversations (number) ON DELETE CASCADE,
    part TEXT NOT NULL, -- history, input or output of a response; conversation
    position INTEGER NOT NULL,
    id TEXT NOT NULL,
    content INTEGER NOT NULL REFERENCES item_contents (number)
);
CREATE UNIQUE INDEX response_items_by_response ON response_items (response, position);
CREATE UNIQUE INDEX response_items_by_conversation ON response_items (conversation, position);
CREATE INDEX response_items_by_id ON response_items (id);
CREATE INDEX response_items_by_content ON response_items (content);
CREATE TRIGGER response_item_removed AFTER DELETE ON response_items BEGIN
    DELETE FROM item_contents WHERE number = old.content
    AND NOT EXISTS (SELECT 1 FROM response_items WHERE content = old.content);
END;
