"""Beta features of the Messages API, as `MessagesRequest.betas` names them.

https://docs.anthropic.com/en/api/beta-headers
"""

import re
from collections.abc import Iterable, Mapping

IN_EFFECT: Mapping[str, str] = {
    "claude-code": "says who asks",
    "oauth": "says how the client is signed in",
    "prompt-caching": "Claude Code sets cache marks itself",
    "prompt-caching-scope": "Claude Code sets cache marks itself",
    "extended-cache-ttl": "the answer does not depend on it",
    "messages": "the Messages API has it for good",
    "tools": "the Messages API has it for good",
    "pdfs": "the Messages API has it for good",
    "token-counting": "the Messages API has it for good",
    "token-efficient-tools": "all models from Claude 4 on have it",
    "output-128k": "the newest models have it",
    "model-context-window-exceeded": "the newest models have it",
    "structured-outputs": "`output_config.format` is honoured",
    "effort": "`output_config.effort` is honoured",
    "context-management": "Claude Code asks for it itself",
    "interleaved-thinking": "Claude Code asks for it itself",
    "thinking-token-count": "Claude Code asks for it itself",
    "fine-grained-tool-streaming": "a tool's input is streamed as it is written",
}
"""Features, without their date, that Claude Code needs not be asked for, and why."""

WHO_ASKS = frozenset({"claude-code", "oauth"})
"""Features that say who asks. Each backend does that by itself."""

_DATE = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8})$")


def feature_of(name: str) -> str:
    """The feature without its date."""
    return _DATE.sub("", name.strip().lower())


def without_effective(names: Iterable[str]) -> tuple[str, ...]:
    """The features that Claude Code has to be asked for."""
    return tuple(name for name in names if feature_of(name) not in IN_EFFECT)
