-- A row may stand for several requests that were refused one after the other for the same reason.
ALTER TABLE requests ADD COLUMN count INTEGER NOT NULL DEFAULT 1;
