"""Errors that the service reports only in words, shared by the backends. Pure."""

import re

from server.core.errors import ContextTooLong, InvalidRequest, ModelNotFound

_TOO_LONG = re.compile(r"prompt is too long|context window|exceed(s|ed)? (the )?context|too many tokens", re.I)
_MODEL = re.compile(r"model:? \(?([\w.:@/-]+)")


def model_not_found_error(text: str) -> ModelNotFound:
    """Error for an unavailable model, which `text` names."""
    named = _MODEL.search(text)
    model = f"The model {named.group(1)}" if named else "The model"
    return ModelNotFound(
        f"{model} does not exist, or your account may not use it.", hint="GET /v1/models lists the available models."
    )


def refusal_error(text: str) -> InvalidRequest:
    """Error for a request that is too long or otherwise refused by the model."""
    if _TOO_LONG.search(text):
        return ContextTooLong(text + ".", hint="Shorten the conversation or choose a model with a larger context.")
    return InvalidRequest(f"The model refused the request: {text}.")
