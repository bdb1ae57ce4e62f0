"""Fields of a body that are ignored without a warning."""

from collections.abc import Mapping

IGNORED: Mapping[str, str] = {
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
"""Why each has no effect. A name without a dot counts at any depth."""
