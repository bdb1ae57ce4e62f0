"""Fields of a body that are ignored without a warning."""

from collections.abc import Mapping
from typing import Any

IGNORED: Mapping[str, str] = {
    "user": "for the client's own records",
    "metadata": "for the client's own records, and repeated in the response",
    "safety_identifier": "for the client's own records",
    "client_metadata": "for the client's own records",
    "internal_chat_message_metadata_passthrough": "for the client's own records",
    "service_tier": "for billing",
    "access_programs": "for billing",
    "moderation": "Claude has safeguards of its own",
    "context_management": "Claude Code manages the context itself",
    "prompt_cache_key": "Claude Code sets cache marks itself",
    "prompt_cache_options": "Claude Code sets cache marks itself",
    "prompt_cache_retention": "Claude Code sets cache marks itself",
    "prompt_cache_breakpoint": "Claude Code sets cache marks itself",
    "stream_options": "nothing is obfuscated",
    "detail": "Claude looks at images and files in full",
    "defer_loading": "all tools are known to the model from the start",
    "input.id": "calls and outputs are paired by `call_id`",
    "input.status": "an item's own, as it was sent",
    "input.phase": "an item's own, as it was sent",
    "input.created_by": "an item's own, as it was sent",
    "input.summary": "an answer's own, and not the client's to write",
    "input.content": "of reasoning: an answer's own, and not the client's to write",
    "input.content.annotations": "an answer's own, as it was sent",
    "input.content.logprobs": "an answer's own, as it was sent",
    "input.role": "of additional tools: always the developer",
    "input.name": "of an output: calls and outputs are paired by `call_id`",
    "input.execution": "a search with a `call_id` is the client's",
    "input.action": "an answer's own search of the web, as it was sent",
    "tools.type": "a search of the web has several names",
    "input.tools.type": "a search of the web has several names",
    "tools.user_location.type": "always approximate",
    "input.tools.user_location.type": "always approximate",
    "reasoning.summary": "thinking is always summarised",
    "reasoning.generate_summary": "thinking is always summarised",
    "reasoning.context": "Claude decides itself which thinking it reads again",
    "text.format.name": "a label",
    "input.text.format.name": "a label",
    "input.text.format.strict": "the schema is enforced anyway",
    "text.format.strict": "the schema is enforced anyway",
}
"""Why each has no effect. A name without a dot counts at any depth."""

DEFAULTS: Mapping[str, Any] = {"text.verbosity": "medium"}
"""Values that ask for nothing."""
