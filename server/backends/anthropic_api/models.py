"""Which model of the API a name means. Pure."""

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
"""What the short names mean while Claude Code has not said so.

https://platform.claude.com/docs/en/about-claude/models/overview
"""

_LARGE_CONTEXT = "[1m]"
"""How Claude Code's names ask for a context of a million tokens, which the API's newer models have anyway."""


def find_model(name: str, listed: Iterable[ModelInfo]) -> ModelInfo:
    """The model that `name` (short, full, or `default`) means to the API; `listed` is Claude Code's own list.

    A name that nobody knows is taken for a full id: the API has more of them than are listed.
    """
    wanted = name.removesuffix(_LARGE_CONTEXT)
    # Of a Claude Code that works for a cloud the list holds that cloud's ids, which the API does not know.
    known = [info for info in listed if info.id.startswith("claude-")]
    for info in (*known, *MODELS):
        full_id = info.id.removesuffix(_LARGE_CONTEXT)
        if wanted in (full_id, info.name) or (wanted == DEFAULT and info.is_default):
            return replace(info, id=full_id)
    return ModelInfo(wanted)
