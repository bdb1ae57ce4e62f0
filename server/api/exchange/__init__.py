"""The path of one request: body, session, answer and record."""
