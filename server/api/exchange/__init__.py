"""The walk of one request: its body, session, answer and record."""
