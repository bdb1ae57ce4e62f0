"""The Sessions page: the list of stored sessions, with one conversation beside it."""
