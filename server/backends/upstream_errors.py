"""What Anthropic's service refuses in words, whichever backend hears them. Pure."""

import re

from server.core.errors import ContextTooLong, InvalidRequest, ModelNotFound

_TOO_LONG = re.compile(r"prompt is too long|context window|exceed(s|ed)? (the )?context|too many tokens", re.I)
_MODEL = re.compile(r"model:? \(?([\w.:@/-]+)")


def model_not_found_error(text: str) -> ModelNotFound:
    """The error for the service's words about a model that is not to be had."""
    named = _MODEL.search(text)
    model = f"The model {named.group(1)}" if named else "The model"
    return ModelNotFound(
        f"{model} does not exist, or your account may not use it.", hint="GET /v1/models lists the models there are."
    )


def refusal_error(text: str) -> InvalidRequest:
    """The error for a request that the model does not take: one that is too long, or wrong in another way."""
    if _TOO_LONG.search(text):
        return ContextTooLong(text + ".", hint="Shorten the conversation or choose a model with a larger context.")
    return InvalidRequest(f"The model refused the request: {text}.")
