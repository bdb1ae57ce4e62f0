"""Rules for names of models: how Claude's are written elsewhere, and which Claude model stands for each of OpenAI's.

They go by family and size, so that the next number needs no new rule. Sources: the types `Model` of Anthropic's
SDK and `ChatModel` of OpenAI's, the ids of Bedrock and Vertex, and OpenRouter's variants after a colon.
"""

import re

SHORT_NAMES = frozenset({"opus", "sonnet", "haiku", "fable"})
"""The CLI's own names, which work even while it has not said what it offers."""

_LARGE_CONTEXT = re.compile(r"(?:\[1m\]|:1m)$")
_VARIANT = re.compile(r":(?:beta|free|latest|extended|nitro|floor|exacto|batch)$")
"""What OpenRouter and Ollama put behind a name and does not change the model."""
_THINKING = re.compile(r"(?<=.)[:-](?:thinking|thought)$")

_CLOUD = re.compile(r"^(?:[a-z-]+\.)?anthropic\.(?=claude-)")
_CLAUDE = re.compile(
    r"claude-(?:(?P<family>[a-z]+)-)?v?(?P<major>\d{1,2})(?:[.-](?P<minor>\d{1,2})(?!\d))?"
    r"(?:-(?P<late>opus|sonnet|haiku|fable|mythos))?"
    r"(?:-v\d)?(?:[-@](?P<date>\d{8}))?(?:-v\d+)?(?::\d+)?(?:-latest)?"
)
_CLAUDE_FAMILY = re.compile(r"claude-(?P<family>opus|sonnet|haiku|fable|instant)(?:-v1|-latest)?")
_OLDEST = (4, 5)
"""Claude models before are retired. The CLI puts its newest Opus in the place of 4.1, but with parameters of 4.1's that
it refuses."""

_OLD_FAMILIES = frozenset({"opus", "sonnet", "haiku", "instant", None})
"""A family that began later may count from 1."""

_GPT = re.compile(r"(?:chat)?gpt-(?P<major>\d+)(?:\.(?P<minor>\d+))?(?P<omni>o)?(?P<rest>(?:-(?:[a-z]+|\d+k?))*)")
_REASONING = re.compile(r"o(?P<major>\d+)(?P<rest>(?:-(?:[a-z]+|\d+))*)")
_NO_CHAT = frozenset({"audio", "realtime", "transcribe", "tts", "image", "embedding", "search", "research"})
_SMALLEST = frozenset({"nano", "luna"})
_SMALLER = frozenset({"mini", "terra"})


def bare_name(name: str) -> str:
    """The name in lower case, without what stands around it: a provider before, a variant or a date behind."""
    lowered = name.strip().lower().rsplit("/", 1)[-1].removeprefix("anthropic:").removeprefix("openai:")
    return _THINKING.sub("", _VARIANT.sub("", _LARGE_CONTEXT.sub("", lowered)))


def wants_thinking(name: str) -> bool:
    """Whether the name itself asks for thinking, as OpenRouter's `claude-3.7-sonnet:thinking` does."""
    return _THINKING.search(_VARIANT.sub("", _LARGE_CONTEXT.sub("", name.strip().lower()))) is not None


def wants_large_context(name: str) -> bool:
    """Whether the name asks for a context of a million tokens, as Claude Code writes it (`[1m]`), or with a colon."""
    return _LARGE_CONTEXT.search(name.strip().lower()) is not None


def claude_model(bare: str) -> str | None:
    """The id of a Claude model as Anthropic writes it, or the family's short name for one that is retired.

    None for what is no Claude model that a rule knows.
    """
    plain = _CLOUD.sub("", bare)
    if (family := _CLAUDE_FAMILY.fullmatch(plain)) is not None:
        return _newest_of_family(family["family"])
    found = _CLAUDE.fullmatch(plain)
    if found is None or (found["family"] and found["late"]):
        return None
    family_name, version = found["family"] or found["late"], (int(found["major"]), int(found["minor"] or 0))
    if version < _OLDEST and family_name in _OLD_FAMILIES:
        return _newest_of_family(family_name)
    if family_name is None:
        return None
    number = f"{version[0]}-{version[1]}" if version[1] else str(version[0])
    return "-".join(filter(None, ("claude", family_name, number, found["date"])))


def openai_equivalent(bare: str) -> str | None:
    """The short name of the Claude model that stands for one of OpenAI's; None for what is none of its chat models."""
    if (found := _GPT.fullmatch(bare.replace("gpt-35", "gpt-3.5"))) is not None:
        version = (int(found["major"]), int(found["minor"] or 0))
        return None if version < (3, 0) else _of_size(found["rest"], _gpt_sizes(version))
    if (found := _REASONING.fullmatch(bare)) is not None:
        return _of_size(found["rest"], ("opus", "sonnet", "haiku"))
    return None


def _newest_of_family(family: str | None) -> str:
    if family == "instant":
        return "haiku"
    return family if family in SHORT_NAMES else "sonnet"


def _gpt_sizes(version: tuple[int, int]) -> tuple[str, str, str]:
    """What stands for the largest, the smaller and the smallest model of a version."""
    if version >= (4, 5):
        return ("opus", "sonnet", "haiku")
    return ("sonnet", "haiku", "haiku") if version >= (4, 0) else ("haiku", "haiku", "haiku")


def _of_size(rest: str, sizes: tuple[str, str, str]) -> str | None:
    words = set(rest.split("-"))
    if words & _NO_CHAT:
        return None
    largest, smaller, smallest = sizes
    return smallest if words & _SMALLEST else smaller if words & _SMALLER else largest
