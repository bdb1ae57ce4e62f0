"""Sessions, messages and requests in SQLite, with search and expiry."""
