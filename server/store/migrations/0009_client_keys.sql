-- The client key of each request.
ALTER TABLE requests ADD COLUMN key_id TEXT;
ALTER TABLE requests ADD COLUMN key_name TEXT;
CREATE INDEX requests_by_key ON requests (key_name, started_at, id);

-- Sums by day, key and backend. Requests expire, and can be deleted by the user; limits of a day and reports of a month
-- need the sums. Triggers keep them in the same transaction as the record.
CREATE TABLE usage_by_day (
    day TEXT NOT NULL, -- local date, YYYY-MM-DD
    key_id TEXT NOT NULL, -- empty: the server's own key
    backend TEXT NOT NULL,
    requests INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL, -- the cached ones included
    output_tokens INTEGER NOT NULL,
    cost_usd REAL NOT NULL,
    last_used_at REAL NOT NULL,
    PRIMARY KEY (key_id, day, backend)
) WITHOUT ROWID;

-- A request counts once, when it ends. Those that a guard refused have no backend.
CREATE TRIGGER usage_of_new_request AFTER INSERT ON requests
WHEN new.status != 'running' AND new.backend IS NOT NULL
BEGIN
    INSERT INTO usage_by_day VALUES (
        date(new.started_at, 'unixepoch', 'localtime'), coalesce(new.key_id, ''), new.backend, 1,
        coalesce(new.input_tokens, 0), coalesce(new.output_tokens, 0), coalesce(new.cost_usd, 0), new.started_at
    )
    ON CONFLICT DO UPDATE SET
        requests = requests + 1, input_tokens = input_tokens + excluded.input_tokens,
        output_tokens = output_tokens + excluded.output_tokens, cost_usd = cost_usd + excluded.cost_usd,
        last_used_at = max(last_used_at, excluded.last_used_at);
END;
-- A client may give a later request the id of an earlier one; it is another request if it started at another time.
CREATE TRIGGER usage_of_ended_request AFTER UPDATE ON requests
WHEN new.status != 'running' AND new.backend IS NOT NULL
    AND (old.status = 'running' OR old.started_at IS NOT new.started_at)
BEGIN
    INSERT INTO usage_by_day VALUES (
        date(new.started_at, 'unixepoch', 'localtime'), coalesce(new.key_id, ''), new.backend, 1,
        coalesce(new.input_tokens, 0), coalesce(new.output_tokens, 0), coalesce(new.cost_usd, 0), new.started_at
    )
    ON CONFLICT DO UPDATE SET
        requests = requests + 1, input_tokens = input_tokens + excluded.input_tokens,
        output_tokens = output_tokens + excluded.output_tokens, cost_usd = cost_usd + excluded.cost_usd,
        last_used_at = max(last_used_at, excluded.last_used_at);
END;
