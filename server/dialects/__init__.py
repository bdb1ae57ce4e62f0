"""Pure translation between the clients' APIs and the waist. No I/O in here."""
