"""Ollama's error body: `{"error": "TEXT"}`."""

from server.core.errors import DragomanError, ModelNotFound
from server.dialects.base import Header, no_header
from server.dialects.dialect import ErrorResponse

_STATUSES = {529: 503}
"""Ollama says 503 when it is busy."""


def error_response(error: DragomanError, request_id: str | None = None, header: Header = no_header) -> ErrorResponse:
    """The error as Ollama's clients read it. The request's id is only in a header."""
    # Programs look for these words before they offer to pull the model.
    text = f"model not found: {error}" if isinstance(error, ModelNotFound) else str(error)
    return ErrorResponse(_STATUSES.get(error.status, error.status), error.headers, {"error": text})
