"""Which model a client's model name means: the alias table, and what stands behind a name.

Clients offer a fixed list of names, most of them another provider's. Each of these becomes the short name of
a Claude model (`opus`, `sonnet`, `haiku`), which the CLI itself resolves to its newest. The user can add to
the table and override it.
"""

import re
from collections.abc import Mapping
from itertools import chain

from server.dialects.base import Context
from server.errors import ModelNotFound

DEFAULT = "default"
"""The model that the CLI takes when it is told none."""

SHORT_NAMES = frozenset({"opus", "sonnet", "haiku", "fable"})
"""The CLI's own names, which work even while it has not said what it offers."""

DEFAULT_ALIASES: dict[str, str] = {
    "gpt-5": "opus",
    "gpt-5-pro": "opus",
    "gpt-5-codex": "opus",
    "gpt-5-chat-latest": "opus",
    "gpt-5-mini": "sonnet",
    "gpt-5-nano": "haiku",
    "gpt-5.1": "gpt-5",
    "gpt-5.1-codex": "gpt-5-codex",
    "gpt-5.1-codex-max": "gpt-5-codex",
    "gpt-5.1-codex-mini": "gpt-5-mini",
    "gpt-5.1-chat-latest": "gpt-5",
    "gpt-5.2": "gpt-5",
    "gpt-5.2-pro": "gpt-5-pro",
    "gpt-5.2-codex": "gpt-5-codex",
    "gpt-4.1": "sonnet",
    "gpt-4.1-mini": "haiku",
    "gpt-4.1-nano": "haiku",
    "gpt-4.5-preview": "opus",
    "gpt-4o": "sonnet",
    "gpt-4o-mini": "haiku",
    "chatgpt-4o-latest": "gpt-4o",
    "gpt-4-turbo": "sonnet",
    "gpt-4-turbo-preview": "gpt-4-turbo",
    "gpt-4": "sonnet",
    "gpt-4-32k": "gpt-4",
    "gpt-3.5-turbo": "haiku",
    "gpt-3.5-turbo-16k": "gpt-3.5-turbo",
    "gpt-3.5-turbo-instruct": "gpt-3.5-turbo",
    "text-davinci-003": "haiku",
    "codex-mini-latest": "sonnet",
    "o1": "opus",
    "o1-preview": "o1",
    "o1-pro": "o1",
    "o1-mini": "sonnet",
    "o3": "opus",
    "o3-pro": "o3",
    "o3-mini": "sonnet",
    "o4-mini": "sonnet",
    "claude-opus": "opus",
    "claude-opus-4": "opus",
    "claude-opus-4-0": "opus",
    "claude-opus-4-20250514": "opus",
    # The CLI puts its newest Opus in the place of 4.1, but with parameters of 4.1's that it refuses.
    "claude-opus-4-1": "opus",
    "claude-opus-4-1-20250805": "opus",
    "claude-3-opus-latest": "opus",
    "claude-3-opus-20240229": "opus",
    "claude-sonnet": "sonnet",
    "claude-sonnet-4": "sonnet",
    "claude-sonnet-4-0": "sonnet",
    "claude-sonnet-4-20250514": "sonnet",
    "claude-3-7-sonnet-latest": "sonnet",
    "claude-3-7-sonnet-20250219": "sonnet",
    "claude-3-5-sonnet-latest": "sonnet",
    "claude-3-5-sonnet-20241022": "sonnet",
    "claude-3-5-sonnet-20240620": "sonnet",
    "claude-3-sonnet-20240229": "sonnet",
    "claude-2.1": "sonnet",
    "claude-2.0": "sonnet",
    "claude-haiku": "haiku",
    "claude-3-5-haiku-latest": "haiku",
    "claude-3-5-haiku-20241022": "haiku",
    "claude-3-haiku-20240307": "haiku",
    "claude-instant-1.2": "haiku",
}

_DATE = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{4})$")
_CLAUDE_ID = re.compile(r"([a-z-]+\.){0,2}claude-[\w.:@-]+")
_CONTEXT_SIZE = re.compile(r"\[1m\]$")
_MAX_HOPS = 10


def resolve(name: str | None, context: Context) -> str:
    """The model that `name` means: a name that the backend takes, or `default`.

    The order: the user's aliases, what the backend offers, the default aliases; then the same without a
    provider's prefix (`openai/`), and without OpenAI's date (`-2024-08-06`). Any other `claude-` id goes on
    as it is (Bedrock's `us.anthropic.claude-...` too), since the backend takes more of them than it lists.
    Raises `ModelNotFound`.
    """
    wanted = (name or "").strip() or context.default_model.strip() or DEFAULT
    aliases = {key.strip().lower(): target.strip() for key, target in context.aliases.items()}
    seen = [wanted]
    while (target := _next(seen[-1], aliases, context.models)) is not None and target not in seen:
        seen.append(target)
        if len(seen) > _MAX_HOPS:
            break
    if target is None and (found := _as_model(seen[-1], context.models)) is not None:
        return found
    raise _not_found(wanted, seen, context)


def _next(name: str, aliases: Mapping[str, str], models: tuple[str, ...]) -> str | None:
    """The name that `name` is an alias of, or None when it is no alias."""
    for spelling in _spellings(name):
        if spelling in aliases:
            # An alias of itself (`gpt-4` -> `gpt-4`) says no more than that the name is to be left alone.
            return None if aliases[spelling].lower() == spelling else aliases[spelling]
        if _offered(spelling, models) is not None:
            return None
        if spelling in DEFAULT_ALIASES:
            return DEFAULT_ALIASES[spelling]
    return None


def _spellings(name: str) -> list[str]:
    """`name` in lower case, then with less and less around it."""
    lowered = name.strip().lower()
    bare = lowered.rsplit("/", 1)[-1].removesuffix(":latest")
    return list(dict.fromkeys([lowered, bare, _DATE.sub("", bare)]))


def _as_model(name: str, models: tuple[str, ...]) -> str | None:
    for spelling in _spellings(name):
        if (offered := _offered(spelling, models)) is not None:
            return offered
        base = _CONTEXT_SIZE.sub("", spelling)
        if base in SHORT_NAMES or base == DEFAULT or _CLAUDE_ID.fullmatch(base):
            return spelling
    return None


def _offered(spelling: str, models: tuple[str, ...]) -> str | None:
    return next((model for model in models if model.lower() == spelling), None)


def _not_found(wanted: str, seen: list[str], context: Context) -> ModelNotFound:
    through = "" if len(seen) == 1 else f" (an alias: {' -> '.join(seen)})"
    names = chain(context.models or sorted(SHORT_NAMES), list(context.aliases)[:3], list(DEFAULT_ALIASES)[:3])
    few = ", ".join(list(dict.fromkeys(names))[:10])
    return ModelNotFound(
        f"The model '{wanted}'{through} is neither a Claude model nor an alias of one.",
        hint=f"Names that work: {few}, any claude-... id. More aliases can be set in the settings.",
    )
