"""The parts of a model name: the model, and what its prefix and suffixes ask for.

`api:anthropic/claude-sonnet-4.5:high[1m]` is the model `claude-sonnet-4.5` with a large context and high effort, served
by the Anthropic API. Suffixes may come in any order. Sources: OpenRouter's variants and presets
(https://openrouter.ai/docs), Ollama's `:latest`, and the names that Cursor and proxies list, such as
`claude-4.5-opus-high-thinking`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast

from server.core.messages import Effort

LARGE = "[1m]"
"""Claude Code's suffix for a context of 1,000,000 tokens."""
API = "api:"
"""The prefix of a model that the Anthropic API serves, rather than Claude Code."""
CHAIN = ">"
"""Separates the models of a chain, which are tried in order."""

_LARGE_CONTEXT = re.compile(r"(?:\[1m\]|:1m)$")
_WITHOUT_EFFECT = re.compile(r"(?::(?:beta|free|latest|extended|nitro|floor|exacto|batch)|@preset/[\w.-]+)$")
"""Suffixes that do not change the model: variants of OpenRouter and Ollama."""
_THINKING = re.compile(r"[:-](?:think|thinking|thought)$")
_NO_THINKING = re.compile(r"(?:[:-](?:nothink|nothinking|no-think|no-thinking|non-thinking)|:(?:none|off))$")
_EFFORT = re.compile(r"(?:[:-](?P<word>minimal|low|medium|high|xhigh)|:(?P<most>max))$")
"""Without a colon, `max` belongs to the name (`gpt-5.1-codex-max`)."""

_PROVIDER = re.compile(r"^(?:.*/)?(?:anthropic:|openai:)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a name asks for besides its model; None means not specified."""

    large_context: bool = False
    effort: Effort | None = None
    thinking: bool | None = None
    by_api: bool = False

    def over(self, inner: "Asked") -> "Asked":
        """The wishes of a name and of the name behind it; those of `self` take precedence."""
        thinking = inner.thinking if self.thinking is None else self.thinking
        if self.effort is not None and self.thinking is None and thinking is False:
            thinking = None  # `fast:high` of `fast = "haiku:nothink"` asks for thinking.
        return Asked(
            self.large_context or inner.large_context,
            self.effort or inner.effort,
            thinking,
            self.by_api or inner.by_api,
        )


NO_WISHES = Asked()


def split_chain(name: str) -> list[str]:
    """Return the names in a chain, empty ones included; of any other name, that name alone."""
    return [part.strip() for part in name.split(CHAIN)]


def split_name(name: str) -> tuple[str, Asked]:
    """Split a name into the model, in lower case without a provider, and its wishes."""
    *_, (rest, asked) = _strip_suffixes(*_split_prefix(name))
    return _without_provider(rest), asked


def list_spellings(name: str) -> list[tuple[str, Asked]]:
    """Return the spellings of a name, the most specific first, each with the wishes that it leaves out."""
    found = {name.strip().lower(): NO_WISHES}
    for stripped, wishes in _strip_suffixes(*_split_prefix(name)):
        for spelling in (stripped, _without_provider(stripped)):
            if wishes.large_context:
                found.setdefault(spelling + LARGE, replace(wishes, large_context=False))
            found.setdefault(spelling, wishes)
    return [(spelling, wishes) for spelling, wishes in found.items() if spelling]


def _split_prefix(name: str) -> tuple[str, Asked]:
    lowered = name.strip().lower()
    return lowered.removeprefix(API).strip(), Asked(by_api=lowered.startswith(API))


def _strip_suffixes(name: str, asked: Asked) -> Iterator[tuple[str, Asked]]:
    """The name as it is, then without one suffix after the other, from the end.

    A later suffix takes precedence over an earlier one.
    """
    yield name, asked
    while (stripped := _strip_suffix(name)) is not None and stripped[0]:
        name, asked = stripped[0], asked.over(stripped[1])
        yield name, asked


def _strip_suffix(name: str) -> tuple[str, Asked] | None:
    if (match := _LARGE_CONTEXT.search(name)) is not None:
        asked = Asked(large_context=True)
    elif (match := _WITHOUT_EFFECT.search(name)) is not None:
        asked = NO_WISHES
    elif (match := _NO_THINKING.search(name)) is not None:
        asked = Asked(thinking=False)
    elif (match := _THINKING.search(name)) is not None:
        asked = Asked(thinking=True)
    elif (match := _EFFORT.search(name)) is not None:
        word = match["word"] or match["most"]
        asked = Asked(effort=cast(Effort, "low" if word == "minimal" else word))
    else:
        return None
    return name[: match.start()].rstrip(), asked


def _without_provider(name: str) -> str:
    # The last part of a preset's path is no model.
    return name if "@preset/" in name else _PROVIDER.sub("", name)
