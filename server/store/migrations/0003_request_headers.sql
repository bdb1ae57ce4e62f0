-- The client's headers, for people who look at one request: a JSON array of names and values, secrets redacted.
ALTER TABLE requests ADD COLUMN request_headers TEXT;
