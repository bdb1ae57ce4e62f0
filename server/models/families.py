"""Model name rules: spellings of Claude's names, equivalents of OpenAI's.

The rules match family and size, so that a new version number needs no new rule. Sources: the type `Model` of
Anthropic's SDK, `ChatModel` of OpenAI's, and the ids of Bedrock and Vertex. `name_parts` removes prefixes and suffixes.
"""

import re

SHORT_NAMES = frozenset({"opus", "sonnet", "haiku", "fable"})
"""The CLI's own names, which work even before it has reported its models."""

_CLOUD = re.compile(r"^(?:[a-z-]+\.)?anthropic\.(?=claude-)")
_WITHOUT_MAKER = re.compile(r"(?:opus|sonnet|haiku|fable|mythos)-v?\d")
_CLAUDE = re.compile(
    r"claude-(?:(?P<family>[a-z]+)-)?v?(?P<major>\d{1,2})(?:[.-](?P<minor>\d{1,2})(?!\d))?"
    r"(?:-(?P<late>opus|sonnet|haiku|fable|mythos))?"
    r"(?:-v\d)?(?:[-@](?P<date>\d{8}))?(?:-v\d+)?(?::\d+)?(?:-latest)?"
)
_CLAUDE_FAMILY = re.compile(r"claude-(?P<family>opus|sonnet|haiku|fable|instant)(?:-v1|-latest)?")
_OLDEST = (4, 5)
"""Earlier Claude models are retired. The CLI replaces 4.1 by its newest Opus, but sends 4.1's parameters, which that
refuses."""

_OLD_FAMILIES = frozenset({"opus", "sonnet", "haiku", "instant", None})
"""The families that the limit holds for: a newer family may count from 1."""

_GPT = re.compile(r"(?:chat)?gpt-(?P<major>\d+)(?:\.(?P<minor>\d+))?(?P<omni>o)?(?P<rest>(?:-(?:[a-z]+|\d+k?))*)")
_REASONING = re.compile(r"o(?P<major>\d+)(?P<rest>(?:-(?:[a-z]+|\d+))*)")
_NO_CHAT = frozenset({"audio", "realtime", "transcribe", "tts", "image", "embedding", "research"})
_SMALLEST = frozenset({"nano", "luna"})
_SMALLER = frozenset({"mini", "terra"})


def claude_model(bare: str) -> str | None:
    """Return the id of a Claude model, or its family's short name if retired.

    None if no rule knows the name as a Claude model.
    """
    plain = _CLOUD.sub("", bare)
    if _WITHOUT_MAKER.match(plain) is not None:
        plain = f"claude-{plain}"
    if (family := _CLAUDE_FAMILY.fullmatch(plain)) is not None:
        return _newest_of_family(family["family"])
    match = _CLAUDE.fullmatch(plain)
    if match is None or (match["family"] and match["late"]):
        return None
    family_name, version = match["family"] or match["late"], (int(match["major"]), int(match["minor"] or 0))
    if version < _OLDEST and family_name in _OLD_FAMILIES:
        return _newest_of_family(family_name)
    if family_name is None:
        return None
    number = f"{version[0]}-{version[1]}" if version[1] else str(version[0])
    return "-".join(filter(None, ("claude", family_name, number, match["date"])))


def openai_equivalent(bare: str) -> str | None:
    """Return the Claude equivalent of an OpenAI chat model; None for other names."""
    if (match := _GPT.fullmatch(bare.replace("gpt-35", "gpt-3.5"))) is not None:
        version = (int(match["major"]), int(match["minor"] or 0))
        return None if version < (3, 0) else _of_size(match["rest"], _gpt_sizes(version))
    if (match := _REASONING.fullmatch(bare)) is not None:
        return _of_size(match["rest"], ("opus", "sonnet", "haiku"))
    return None


def _newest_of_family(family: str | None) -> str:
    if family == "instant":
        return "haiku"
    return family if family in SHORT_NAMES else "sonnet"


def _gpt_sizes(version: tuple[int, int]) -> tuple[str, str, str]:
    """Return the equivalents of a version's largest, smaller and smallest models."""
    if version >= (4, 5):
        return ("opus", "sonnet", "haiku")
    return ("sonnet", "haiku", "haiku") if version >= (4, 0) else ("haiku", "haiku", "haiku")


def _of_size(rest: str, sizes: tuple[str, str, str]) -> str | None:
    words = set(rest.split("-"))
    if words & _NO_CHAT:
        return None
    largest, smaller, smallest = sizes
    return smallest if words & _SMALLEST else smaller if words & _SMALLER else largest
