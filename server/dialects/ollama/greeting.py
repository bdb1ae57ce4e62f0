"""Ollama's answer to `GET /`, by which its clients find out that it runs."""

from server.dialects.base import Header

GREETING = "Ollama is running"
PORT = 11434
"""Ollama's own port."""


def expects_greeting(header: Header, port: int | None) -> bool:
    """Whether a client that came to `port` takes this server for Ollama.

    Ollama's own packages and programs name themselves. Others come to Ollama's port because it is Ollama's.
    """
    if (header("user-agent") or "").lower().startswith("ollama"):
        return True
    return port == PORT and "application/json" not in (header("accept") or "").lower()
