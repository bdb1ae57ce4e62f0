"""Fields of a body that are ignored without a warning, and parameters that Claude does not have."""

from collections.abc import Mapping

from server.dialects.openai.parameters import Unsupported

IGNORED: Mapping[str, str] = {
    "user": "for the client's own records",
    "session_id": "a completion belongs to no conversation",
    "keep_alive": "for a model that is loaded into memory",
    "stream_options.include_obfuscation": "nothing is obfuscated",
    "options": "settings of a local model, of which those that Claude has are used",
}
"""Why each has no effect. A name without a dot counts at any depth."""

UNSUPPORTED: Unsupported = {
    "seed": lambda value: True,
    "frequency_penalty": bool,
    "presence_penalty": bool,
    "logit_bias": bool,
    "logprobs": lambda value: value is not False,
}
