"""Conversations: what one request asks of a process, and what the process holds."""
