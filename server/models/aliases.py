"""Resolve client model names by aliases, the backend's models and rules.

Many clients offer a fixed list of names, most of them another provider's. Each maps to the short name of a Claude model
(`opus`, `sonnet`, `haiku`), which the CLI resolves to its newest. Claude names in the spellings of clouds and routers
map to Anthropic's. User aliases override all of this. A name may also ask for effort, thinking, a large context or the
Anthropic API (`name_parts`), or list several models to try in order.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain

from server.core.errors import ModelNotFound
from server.core.messages import MessagesRequest, ModelChoice, Thinking
from server.models.families import SHORT_NAMES, claude_model, openai_equivalent
from server.models.name_parts import CHAIN, LARGE, NO_WISHES, Asked, list_spellings, split_chain, split_name

DEFAULT = "default"
"""The model that the CLI uses when none is named."""

DEFAULT_ALIASES: dict[str, str] = {"codex-mini-latest": "sonnet", "text-davinci-003": "haiku"}
"""Names that no rule of `families` covers."""

COMMON_NAMES = (
    "gpt-6.2-astra", "gpt-6.2-sol", "gpt-6.1-sol", "gpt-6.1-terra", "gpt-6-astra", "gpt-6-sol", "gpt-6-luna", "gpt-6",
    "gpt-5.6-sol", "gpt-5.6-terra", "gpt-5.6-luna", "gpt-5.5", "gpt-5.4", "gpt-5.4-mini", "gpt-5.4-nano",
    "gpt-5.2", "gpt-5.2-codex", "gpt-5.1", "gpt-5", "gpt-5-pro", "gpt-5-codex", "gpt-5-mini", "gpt-5-nano",
    "gpt-4.5-preview", "gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano", "gpt-4o", "gpt-4o-mini", "gpt-4-turbo", "gpt-4",
    "gpt-3.5-turbo", "o1", "o1-mini", "o3", "o3-mini", "o4-mini",
    "claude-3-7-sonnet-latest", "claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022", "claude-3-5-haiku-latest",
)  # fmt: skip
"""The rule-covered names in `GET /v1/models`, from which clients let their users choose."""

_DATE = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{4})$")
_CLAUDE_ID = re.compile(r"([a-z-]+\.){0,2}claude-[\w.@-]+(:\d+)?")
_CLOUD_ID = re.compile(r"(^|\.)anthropic\.claude-|claude-[\w.-]+@")
_MAX_HOPS = 10
_MAX_NAMES = 50
"""Limit on the names that one name may lead to, so that aliases of chains of aliases cannot multiply."""

_MAX_CHARACTERS = 300
"""Limit on one name: the suffixes of a longer one would take minutes to read."""
_MAX_SHOWN = 100
"""Characters of a name in an error."""


@dataclass(frozen=True, slots=True)
class ModelNames:
    """The names that requests may use.

    `aliases` maps client names to models or chains. `models` are the ids and short names that the backend offers (empty
    while unknown). `default_model` serves a request that names none.
    """

    aliases: Mapping[str, str]
    models: tuple[str, ...]
    default_model: str


@dataclass(frozen=True, slots=True)
class NamedModel:
    """What a model name says: its models, in the order in which they are tried, at least one."""

    choices: tuple[ModelChoice, ...]

    @property
    def model(self) -> str:
        """The backend's name for the first model, or `default`."""
        return self.choices[0].model

    def apply_to(self, request: MessagesRequest) -> MessagesRequest:
        """The request for the first model, with the others as alternatives.

        Effort and thinking of the name apply only if the request specifies none.
        """
        first, *others = (_choice_for(request, choice) for choice in self.choices)
        return request.with_choice(first).with_changes(alternatives=tuple(others))


def resolve_model(name: str | None, names: ModelNames) -> NamedModel:
    """Return the models that a name stands for, and what it asks of them. Raises `ModelNotFound`.

    Precedence: user aliases, the backend's models, the default aliases, then the rules of `families`. Each is tried
    with the name as given, then without suffixes, a provider's prefix and a date. Any other `claude-` id is passed on,
    since the backend takes more ids than it lists. A chain (`opus > sonnet`) names several models.
    """
    requested = (name or "").strip() or names.default_model.strip() or DEFAULT
    choices = _Resolution(requested, names).list_choices(requested)
    return NamedModel(tuple(_without_duplicates(choices)))


class _Resolution:
    """The resolution of one requested name."""

    def __init__(self, requested: str, names: ModelNames) -> None:
        self._requested = requested
        self._names = names
        self._aliases = {key.strip().lower(): target.strip() for key, target in names.aliases.items()}
        self._visited = 0

    def list_choices(self, name: str, asked: Asked = NO_WISHES, path: tuple[str, ...] = ()) -> list[ModelChoice]:
        """Return the models behind `name`. `path` are the aliases followed so far."""
        self._visited += 1
        if self._visited > _MAX_NAMES:
            raise self._too_many()
        if len(path) > _MAX_HOPS:
            raise self._not_found(name, path)
        if CHAIN in name:
            return [choice for part in split_chain(name) for choice in self.list_choices(part, asked, path)]
        if len(name) > _MAX_CHARACTERS:
            raise self._not_found(name, path)
        if (alias := self._find_alias(name, path)) is not None:
            spelling, own, target = alias
            return self.list_choices(target, asked.over(own), (*path, spelling))
        if (model := self._find_model(name)) is not None:
            return [_make_choice(model[0], asked.over(model[1]))]
        raise self._not_found(name, path)

    def _find_alias(self, name: str, path: tuple[str, ...]) -> tuple[str, Asked, str] | None:
        """Return the alias in `name`, what `name` asks besides it, and its target."""
        for spelling, asked in self._list_spellings(name):
            if spelling in self._aliases and spelling not in path:
                # An alias of itself (`gpt-4` -> `gpt-4`) exempts the name from the rules.
                target = self._aliases[spelling]
                return None if target.lower() == spelling else (spelling, asked, target)
            if self._find_offered(spelling) is not None:
                return None
            if spelling in DEFAULT_ALIASES:
                return spelling, asked, DEFAULT_ALIASES[spelling]
        return None if self._is_kept(name) else _by_rule(name)

    def _find_model(self, name: str) -> tuple[str, Asked] | None:
        """Return the backend's name for a model, and what `name` asks besides it."""
        for spelling, asked in self._list_spellings(name):
            if (offered := self._find_offered(spelling)) is not None:
                return offered, asked
        base, asked = split_name(name)
        if self._is_kept(name) or base in SHORT_NAMES or base == DEFAULT or _CLAUDE_ID.fullmatch(base):
            return base, asked
        return None

    def _list_spellings(self, name: str) -> list[tuple[str, Asked]]:
        """Return the spellings of a name, then those without its date."""
        spellings = list_spellings(name)
        found = dict(spellings)
        for spelling, asked in spellings:
            found.setdefault(_DATE.sub("", spelling), asked)
        return list(found.items())

    def _find_offered(self, spelling: str) -> str | None:
        return next((model for model in self._names.models if model.lower() == spelling), None)

    def _is_kept(self, name: str) -> bool:
        """Whether a cloud's model id is kept, because the backend itself offers cloud ids."""
        return _CLOUD_ID.search(name.lower()) is not None and any(map(_CLOUD_ID.search, self._names.models))

    def _not_found(self, name: str, path: tuple[str, ...]) -> ModelNotFound:
        requested, names = _shorten(self._requested), self._names
        through = ""
        if path:
            through = f" (an alias: {' -> '.join(map(_shorten, (self._requested, *path[1:], name)))})"
        elif name != self._requested:
            through = f" (a chain with '{_shorten(name)}')" if name else " (a chain that lacks a name)"
        suggestions = chain(names.models or sorted(SHORT_NAMES), list(names.aliases)[:3], COMMON_NAMES[:3])
        few = ", ".join(list(dict.fromkeys(suggestions))[:10])
        return ModelNotFound(
            f"The model '{requested}'{through} is neither a Claude model nor an alias of one.",
            hint=f"Names that work: {few}, any claude-... id. Add aliases in the settings.",
        )

    def _too_many(self) -> ModelNotFound:
        return ModelNotFound(
            f"The model '{_shorten(self._requested)}' leads to more than {_MAX_NAMES} names.",
            hint="Shorten the chain, or its aliases in the settings.",
        )


def _by_rule(name: str) -> tuple[str, Asked, str] | None:
    """Map a name by the rules; the result (`opus`) may itself be a user alias."""
    base, asked = split_name(name)
    mapped = claude_model(base) or openai_equivalent(base)
    return None if mapped is None or mapped == base else (base, asked, mapped)


def _make_choice(model: str, asked: Asked) -> ModelChoice:
    thinking: Thinking | None = None
    if asked.thinking is not None:
        thinking = {"type": "adaptive" if asked.thinking else "disabled"}
    large = LARGE if asked.large_context and not model.endswith(LARGE) else ""
    return ModelChoice(model + large, asked.effort, thinking, asked.by_api)


def _choice_for(request: MessagesRequest, choice: ModelChoice) -> ModelChoice:
    """The choice with the request's own effort and thinking, which take precedence."""
    thinking = request.thinking
    if request.thinking is None and request.effort is None:
        thinking = choice.thinking
    effort = request.effort
    # A client that switches thinking off says by that how much effort it wants.
    if request.effort is None and (request.thinking or {}).get("type") != "disabled":
        effort = choice.effort
    return replace(choice, effort=effort, thinking=thinking)


def _without_duplicates(choices: list[ModelChoice]) -> Iterator[ModelChoice]:
    """Leave out a choice that an earlier one equals: it would fail in the same way."""
    for index, choice in enumerate(choices):
        if choice not in choices[:index]:
            yield choice


def _shorten(name: str) -> str:
    return name if len(name) <= _MAX_SHOWN else f"{name[:_MAX_SHOWN]}..."
