"""Resolve client model names by aliases, the backend's models and rules.

Many clients offer a fixed list of names, most of them another provider's. Each maps to the short name of a Claude model
(`opus`, `sonnet`, `haiku`), which the CLI resolves to its newest. Claude names in the spellings of clouds and routers
map to Anthropic's. User aliases override all of this.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from server.core.errors import ModelNotFound
from server.core.messages import MessagesRequest
from server.models.families import (
    SHORT_NAMES,
    bare_name,
    claude_model,
    openai_equivalent,
    wants_large_context,
    wants_thinking,
)

DEFAULT = "default"
"""The model that the CLI uses when none is named."""

DEFAULT_ALIASES: dict[str, str] = {"codex-mini-latest": "sonnet", "text-davinci-003": "haiku"}
"""Names that no rule of `families` covers."""

COMMON_NAMES = (
    "gpt-6", "gpt-5.6-sol", "gpt-5.6-terra", "gpt-5.6-luna", "gpt-5.5", "gpt-5.4", "gpt-5.4-mini", "gpt-5.4-nano",
    "gpt-5.2", "gpt-5.2-codex", "gpt-5.1", "gpt-5", "gpt-5-pro", "gpt-5-codex", "gpt-5-mini", "gpt-5-nano",
    "gpt-4.5-preview", "gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano", "gpt-4o", "gpt-4o-mini", "gpt-4-turbo", "gpt-4",
    "gpt-3.5-turbo", "o1", "o1-mini", "o3", "o3-mini", "o4-mini",
    "claude-3-7-sonnet-latest", "claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022", "claude-3-5-haiku-latest",
)  # fmt: skip
"""The rule-covered names in `GET /v1/models`, from which clients let their users choose."""

_DATE = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{4})$")
_CLAUDE_ID = re.compile(r"([a-z-]+\.){0,2}claude-[\w.:@-]+")
_CLOUD_ID = re.compile(r"(^|\.)anthropic\.claude-|claude-[\w.-]+@")
_MAX_HOPS = 10


@dataclass(frozen=True, slots=True)
class ModelNames:
    """The names that requests may use.

    `aliases` maps client names to models. `models` are the ids and short names that the backend offers (empty while
    unknown). `default_model` serves a request that names none.
    """

    aliases: Mapping[str, str]
    models: tuple[str, ...]
    default_model: str


def resolve_model(name: str | None, names: ModelNames) -> str:
    """Return the backend's name for a model, or `default`. Raises `ModelNotFound`.

    Precedence: user aliases, the backend's models, the default aliases, then the rules of `families`. Each is tried
    with the name as given, then without a provider's prefix (`openai/`), a variant (`:beta`) and a date. Any other
    `claude-` id is passed on, since the backend takes more ids than it lists.
    """
    requested = (name or "").strip() or names.default_model.strip() or DEFAULT
    aliases = {key.strip().lower(): target.strip() for key, target in names.aliases.items()}
    seen = [requested]
    while (target := _alias_target(seen[-1], aliases, names.models)) is not None and target not in seen:
        seen.append(target)
        if len(seen) > _MAX_HOPS:
            break
    if target is None and (model := _as_model(seen[-1], names.models)) is not None:
        return model
    raise _not_found(requested, seen, names)


def with_named_thinking(request: MessagesRequest) -> MessagesRequest:
    """Turn thinking on if only the model name asks for it."""
    unsaid = request.thinking is None and request.effort is None
    if not unsaid or not wants_thinking(request.requested_model):
        return request
    return request.with_changes(thinking={"type": "adaptive"})


def _alias_target(name: str, aliases: Mapping[str, str], models: tuple[str, ...]) -> str | None:
    """Return the name that `name` is an alias of; None if it is not an alias."""
    for spelling in _name_spellings(name):
        if spelling in aliases:
            # An alias of itself (`gpt-4` -> `gpt-4`) exempts the name from the rules.
            return None if aliases[spelling].lower() == spelling else aliases[spelling]
        if _find_offered(spelling, models) is not None:
            return None
        if spelling in DEFAULT_ALIASES:
            return DEFAULT_ALIASES[spelling]
    return None if _is_kept(name, models) else _by_rule(name)


def _by_rule(name: str) -> str | None:
    """Map a name by the rules; the result (`opus`) may itself be a user alias."""
    bare = bare_name(name)
    mapped = claude_model(bare) or openai_equivalent(bare)
    if mapped is not None and wants_large_context(name):
        mapped += "[1m]"
    return None if mapped == name.strip() else mapped


def _is_kept(name: str, models: tuple[str, ...]) -> bool:
    """Whether a cloud's model id is kept, because the backend itself offers cloud ids."""
    return _CLOUD_ID.search(name.lower()) is not None and any(map(_CLOUD_ID.search, models))


def _name_spellings(name: str) -> list[str]:
    """Return the lower-case spellings of `name`, the most specific first."""
    lowered, large = name.strip().lower(), "[1m]" if wants_large_context(name) else ""
    last, bare = lowered.rsplit("/", 1)[-1].removesuffix(":latest"), bare_name(name)
    return list(dict.fromkeys([lowered, last, bare + large, _DATE.sub("", bare) + large]))


def _as_model(name: str, models: tuple[str, ...]) -> str | None:
    for spelling in _name_spellings(name):
        if (offered := _find_offered(spelling, models)) is not None:
            return offered
    base = bare_name(name)
    if _is_kept(name, models):
        return name.lower()
    if base in SHORT_NAMES or base == DEFAULT or _CLAUDE_ID.fullmatch(base):
        return f"{base}[1m]" if wants_large_context(name) else base
    return None


def _find_offered(spelling: str, models: tuple[str, ...]) -> str | None:
    return next((model for model in models if model.lower() == spelling), None)


def _not_found(requested: str, seen: list[str], names: ModelNames) -> ModelNotFound:
    through = "" if len(seen) == 1 else f" (an alias: {' -> '.join(seen)})"
    suggestions = chain(names.models or sorted(SHORT_NAMES), list(names.aliases)[:3], COMMON_NAMES[:3])
    few = ", ".join(list(dict.fromkeys(suggestions))[:10])
    return ModelNotFound(
        f"The model '{requested}'{through} is neither a Claude model nor an alias of one.",
        hint=f"Names that work: {few}, any claude-... id. Add aliases in the settings.",
    )
