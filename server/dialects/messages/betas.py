"""Beta features that a client asks for in `anthropic-beta` or in the body."""

import re
from collections.abc import Iterable, Mapping
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
    "mcp-client": "passed on with `mcp_servers`, which the API serves",
    "files-api": "passed on with uploaded files, which the API serves",
    "fine-grained-tool-streaming": "a tool's input is streamed as it is written",
}
"""Features, without their date, that need no action, and why."""

_DATE = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8})$")
BETA_FIELDS = ("betas", "anthropic_beta")


def body_betas(body: Mapping[str, Any]) -> list[str]:
    """The features in `betas` (the SDK) and `anthropic_beta` (Bedrock, Vertex)."""
    return [str(name) for field in BETA_FIELDS for name in _as_list(body.get(field) or [])]


def beta_warnings(names: Iterable[str]) -> list[str]:
    """A warning that names all features that are not in effect, if any."""
    unknown = [name.strip()[:64] for name in names if _DATE.sub("", name.strip().lower()) not in IN_EFFECT]
    named = ", ".join(dict.fromkeys(filter(None, unknown)))
    return [f"anthropic-beta: not passed on and left out: {named[:400]}"] if named else []


def _as_list(names: Any) -> list[Any]:
    return names if isinstance(names, list) else [names]
