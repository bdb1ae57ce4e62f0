"""The end of a response: its status, and the reason if it is not a regular one."""

from collections.abc import Mapping
from typing import Any

from server.dialects.responses.originators import is_codex

_INCOMPLETE_REASONS = {
    "max_tokens": "max_output_tokens",
    "model_context_window_exceeded": "max_output_tokens",
    "refusal": "content_filter",
}
_REFUSED = "Claude declined to answer this request."


def is_cut(message: Mapping[str, Any]) -> bool:
    """Whether the answer ended before the model was done. Without a stop reason it was cut."""
    return (message.get("stop_reason") or "max_tokens") in _INCOMPLETE_REASONS


def refusal_of(message: Mapping[str, Any]) -> str | None:
    """The words of a refusal, which the model may not give."""
    explanation: str | None = (message.get("stop_details") or {}).get("explanation")
    return explanation if message.get("stop_reason") == "refusal" else None


def response_end(message: Mapping[str, Any], originator: str) -> dict[str, Any]:
    """The fields of a response that describe its end.

    Codex repeats the request five times after an `incomplete` response that was filtered, and shows no refusal to its
    user. It shows the message of `invalid_prompt`.
    """
    reason = _INCOMPLETE_REASONS.get(message.get("stop_reason") or "max_tokens")
    if reason is None:
        return {"status": "completed", "incomplete_details": None, "error": None}
    if reason == "content_filter" and is_codex(originator):
        error = {"code": "invalid_prompt", "message": refusal_of(message) or _REFUSED}
        return {"status": "failed", "incomplete_details": None, "error": error}
    return {"status": "incomplete", "incomplete_details": {"reason": reason}, "error": None}
