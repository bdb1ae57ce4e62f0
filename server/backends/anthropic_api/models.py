"""Resolves model names for the API. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from server.models.aliases import DEFAULT
from server.models.info import ModelInfo

MODELS = (
    ModelInfo("claude-opus-5-5", "opus", "Claude Opus 5.5", is_default=True),
    ModelInfo("claude-sonnet-5-5", "sonnet", "Claude Sonnet 5.5"),
    ModelInfo("claude-haiku-5-5", "haiku", "Claude Haiku 5.5"),
    ModelInfo("claude-fable-5-2", "fable", "Claude Fable 5.2"),
)
"""Models of the short names, until Claude Code has listed its own.

https://platform.claude.com/docs/en/about-claude/models/overview
"""

_LARGE_CONTEXT = "[1m]"
"""Suffix by which Claude Code requests a context of a million tokens, which newer models always have."""


def find_model(name: str, listed: Iterable[ModelInfo]) -> ModelInfo:
    """Resolve a short name, a full id or `default`; `listed` is Claude Code's list.

    An unknown name counts as a full id, because the API offers more models than are listed.
    """
    wanted = name.removesuffix(_LARGE_CONTEXT)
    # Claude Code on a cloud provider lists that provider's ids, which the API does not know.
    known = [info for info in listed if info.id.startswith("claude-")]
    for info in (*known, *MODELS):
        full_id = info.id.removesuffix(_LARGE_CONTEXT)
        if wanted in (full_id, info.name) or (wanted == DEFAULT and info.is_default):
            return replace(info, id=full_id)
    return ModelInfo(wanted)
