"""Fields of a chat completion's body that are not passed on: those that change nothing, and the rest."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from server.dialects.chat_completions.fields import Field

PASSED_OVER: Mapping[str, str] = {
    "user": "for the client's own records",
    "metadata": "for the client's own records",
    "safety_identifier": "for the client's own records",
    "store": "the sessions here are kept anyway",
    "service_tier": "for billing",
    "prompt_cache_key": "Claude Code sets cache marks itself",
    "prompt_cache_options": "Claude Code sets cache marks itself",
    "prompt_cache_retention": "Claude Code sets cache marks itself",
    "prompt_cache_breakpoint": "Claude Code sets cache marks itself",
    "cache_control": "Claude Code sets cache marks itself",
    "stream_options.include_obfuscation": "nothing is obfuscated",
    "messages.annotations": "an answer's own, as it was sent",
    "messages.reasoning": "an answer's own, and not the client's to write",
    "messages.reasoning_content": "an answer's own, and not the client's to write",
    "messages.reasoning_details": "an answer's own, and not the client's to write",
    "messages.tool_calls.index": "the place in a stream that has ended",
    "messages.content.image_url.detail": "Claude looks at every image in full",
    "response_format.json_schema.name": "a label",
    "response_format.json_schema.strict": "the schema is enforced anyway",
}
"""Fields of no effect on the answer, and why. A name without a dot counts wherever it stands."""

_SCHEMAS = frozenset({"tools.function.parameters", "functions.parameters", "response_format.json_schema.schema"})
"""What is taken as a whole, though parts of it may be looked at."""
_INDEX = re.compile(r"\[\d+\]")


def unread_fields(body: Field) -> Iterator[str]:
    """The paths, without list indices, of all that has a value and that nobody has looked at."""
    return _unread(body.value, body.path, body.read)


def _unread(value: Any, path: str, read: set[str]) -> Iterator[str]:
    if isinstance(value, list):
        for at, item in enumerate(value):
            yield from _unread(item, f"{path}[{at}]", read)
    elif isinstance(value, dict) and (general := _INDEX.sub("", path)) not in _SCHEMAS:
        if f"{path}." not in read:
            return  # It was taken, or told of, as a whole.
        for name, inner in value.items():
            here = f"{path}.{name}" if path else name
            if here in read:
                yield from _unread(inner, here, read)
            elif inner and not {name, f"{general}.{name}"} & PASSED_OVER.keys():
                yield f"{general}.{name}" if general else name
