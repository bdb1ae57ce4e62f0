"""Requests that only load or unload a model, which Claude does not need.

`GenerateHandler` and `ChatHandler` of `server/routes.go`: without a prompt or messages, and to unload with
`keep_alive: 0`. Programs send them to warm up. The response is one object, also to a client that streams.
"""

import re
from typing import Any

from server.dialects.base import Context
from server.dialects.ollama.body import check_chat_body, check_generate_body
from server.dialects.ollama.encoder import Piece, Shape, chat_shape, format_time, generate_shape
from server.models.aliases import resolve_model

_ZERO = re.compile(r"[-+]?0+(\.0*)?(ns|us|µs|ms|s|m|h)?")


def load_for_chat(body: Any, context: Context) -> dict[str, Any] | None:
    """The response to a chat without messages; None for any other. Raises `InvalidRequest` or `ModelNotFound`."""
    if not isinstance(body, dict) or body.get("messages"):
        return None
    return _make_response(body, check_chat_body(body).get("model"), chat_shape, context)


def load_for_generate(body: Any, context: Context) -> dict[str, Any] | None:
    """The response to a body that gives nothing to answer. Raises `InvalidRequest` or `ModelNotFound`."""
    if not isinstance(body, dict) or any(body.get(name) for name in ("prompt", "suffix", "images")):
        return None
    return _make_response(body, check_generate_body(body).get("model"), generate_shape, context)


def _make_response(body: dict[str, Any], model: str | None, shape: Shape, context: Context) -> dict[str, Any]:
    named = resolve_model(model or context.default_model, context)
    return {
        "model": model or named.model,
        "created_at": format_time(context.created),
        **shape(Piece()),
        "done": True,
        "done_reason": "unload" if _is_zero(body.get("keep_alive")) else "load",
    }


def _is_zero(keep_alive: Any) -> bool:
    if isinstance(keep_alive, str):
        return _ZERO.fullmatch(keep_alive.strip()) is not None
    return isinstance(keep_alive, int | float) and not isinstance(keep_alive, bool) and keep_alive == 0
