-- What the Anthropic API was asked for with the user's own key. Kept apart from requests, which expire: a budget a month
-- needs them. A row is written before the call, with the most that it may cost, and corrected after it.
CREATE TABLE api_spending (
    id TEXT PRIMARY KEY,
    day TEXT NOT NULL, -- local date, YYYY-MM-DD
    usd REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX api_spending_by_day ON api_spending (day);
