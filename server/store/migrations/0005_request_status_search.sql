-- Who looks for "503" or "cancelled" in the log finds those requests: the index of requests has the statuses, too.
DROP TRIGGER request_added;
DROP TRIGGER request_removed;
DROP TRIGGER request_changed;
DROP TABLE request_search;

CREATE VIRTUAL TABLE request_search USING fts5 (
    id, client, endpoint, requested_model, model, session_id, backend, status, http_status, error,
    content = 'requests', content_rowid = 'number', tokenize = 'unicode61 remove_diacritics 2'
);
INSERT INTO request_search (request_search) VALUES ('rebuild');

CREATE TRIGGER request_added AFTER INSERT ON requests BEGIN
    INSERT INTO request_search (
        rowid, id, client, endpoint, requested_model, model, session_id, backend, status, http_status, error
    )
    VALUES (
        new.number, new.id, new.client, new.endpoint, new.requested_model, new.model, new.session_id, new.backend,
        new.status, new.http_status, new.error
    );
END;
CREATE TRIGGER request_removed AFTER DELETE ON requests BEGIN
    INSERT INTO request_search (
        request_search, rowid, id, client, endpoint, requested_model, model, session_id, backend, status, http_status,
        error
    )
    VALUES (
        'delete', old.number, old.id, old.client, old.endpoint, old.requested_model, old.model, old.session_id,
        old.backend, old.status, old.http_status, old.error
    );
END;
-- A request is written several times while it runs; most of that does not touch the indexed texts.
CREATE TRIGGER request_changed
AFTER UPDATE OF
    id, client, endpoint, requested_model, model, session_id, backend, status, http_status, error ON requests
WHEN
    old.client IS NOT new.client
    OR old.endpoint IS NOT new.endpoint
    OR old.requested_model IS NOT new.requested_model
    OR old.model IS NOT new.model
    OR old.session_id IS NOT new.session_id
    OR old.backend IS NOT new.backend
    OR old.status IS NOT new.status
    OR old.http_status IS NOT new.http_status
    OR old.error IS NOT new.error
BEGIN
    INSERT INTO request_search (
        request_search, rowid, id, client, endpoint, requested_model, model, session_id, backend, status, http_status,
        error
    )
    VALUES (
        'delete', old.number, old.id, old.client, old.endpoint, old.requested_model, old.model, old.session_id,
        old.backend, old.status, old.http_status, old.error
    );
    INSERT INTO request_search (
        rowid, id, client, endpoint, requested_model, model, session_id, backend, status, http_status, error
    )
    VALUES (
        new.number, new.id, new.client, new.endpoint, new.requested_model, new.model, new.session_id, new.backend,
        new.status, new.http_status, new.error
    );
END;
