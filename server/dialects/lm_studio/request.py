"""OpenAI's bodies as LM Studio's clients send them."""

from dataclasses import replace
from typing import Any

from server.dialects.base import Call, Context, ToMessages
from server.dialects.lm_studio.encoder import LmStudioEncoder
from server.models import capabilities_of

_LIMITS = ("max_tokens", "max_completion_tokens")


def with_statistics(to_messages: ToMessages) -> ToMessages:
    """The translation of one of OpenAI's endpoints, with LM Studio's additions. It raises the same errors."""

    def to_messages_with_statistics(body: Any, context: Context) -> Call:
        call = to_messages(_without_endless_limits(body), context)
        window = capabilities_of(call.request.model).context_window
        return replace(call, encoder=LmStudioEncoder(call.encoder, context_window=window, context=context))

    return to_messages_with_statistics


def _without_endless_limits(body: Any) -> Any:
    """The body without limits of -1, which mean none."""
    if not isinstance(body, dict):
        return body
    return {name: value for name, value in body.items() if not (name in _LIMITS and value == -1)}
