"""Beta features that a client asks for in `anthropic-beta` or in the body."""

import re
from collections.abc import Mapping
from typing import Any

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
    "interleaved-thinking": "Claude Code asks for it itself",
    "thinking-token-count": "Claude Code asks for it itself",
    "fine-grained-tool-streaming": "a tool's input is streamed as it is written",
}
"""Features, without their date, that are not passed on because they need no action, and why."""

_DATE = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8})$")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MAX_PASSED = 32
BETA_FIELDS = ("betas", "anthropic_beta")


def read_betas(body: Mapping[str, Any], header: str | None, warnings: list[str]) -> tuple[str, ...]:
    """The features to pass on: of `betas` (the SDK), `anthropic_beta` (Bedrock, Vertex) and the header.

    Adds to `warnings` what is no name of a feature.
    """
    given = [str(name) for field in BETA_FIELDS for name in _as_list(body.get(field) or [])]
    names = [name.strip() for text in (*given, header or "") for name in text.split(",")]
    wanted = [name for name in dict.fromkeys(names) if name and _DATE.sub("", name.lower()) not in IN_EFFECT]
    passed = [name for name in wanted if _NAME.fullmatch(name)][:_MAX_PASSED]
    if left_out := [name[:64] for name in wanted if name not in passed]:
        warnings.append(f"anthropic-beta: not passed on and left out: {', '.join(left_out)[:400]}")
    return tuple(passed)


def _as_list(names: Any) -> list[Any]:
    return names if isinstance(names, list) else [names]
