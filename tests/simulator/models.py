"""The models that the simulator knows, and what each refuses (Anthropic's migration guides)."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Model:
    """One model: its id, its name for people, and its family's rules.

    `version` is (major, minor). `max_tokens` is the cap on a request's `max_tokens`.
    """

    id: str
    display_name: str
    version: tuple[int, int]
    max_tokens: int
    refuses_sampling: bool
    refuses_thinking_off: bool
    takes_between_tools: bool
    takes_budget: bool
    refuses_forced_tool: bool
    refuses_prefill: bool
    omits_thinking: bool


def _model(id_: str, max_tokens: int) -> Model:
    family, major, minor = re.match(r"claude-([a-z]+)-(\d+)(?:-(\d))?", id_).groups()  # type: ignore[union-attr]
    version = (int(major), int(minor or 0))
    # Fable 5.2 is of the 5.5 generation, whatever its number.
    newest = version >= (5, 5) or family == "fable"
    return Model(
        id=id_,
        display_name=f"Claude {family.title()} {major}" + (f".{minor}" if minor else ""),
        version=version,
        max_tokens=max_tokens,
        refuses_sampling=version >= (4, 7),
        refuses_thinking_off=newest,
        takes_between_tools=newest and family == "sonnet",
        takes_budget=version <= (4, 6),
        refuses_forced_tool=newest,
        refuses_prefill=version >= (4, 6),
        omits_thinking=version >= (4, 7),
    )


_CAPS = {
    "claude-opus-5-5": 128_000,
    "claude-sonnet-5-5": 128_000,
    "claude-haiku-5-5": 128_000,
    "claude-fable-5-2": 128_000,
    "claude-opus-5": 128_000,
    "claude-sonnet-5": 128_000,
    "claude-opus-4-8": 128_000,
    "claude-opus-4-7": 128_000,
    "claude-opus-4-6": 128_000,
    "claude-sonnet-4-6": 128_000,
    "claude-opus-4-5": 64_000,
    "claude-opus-4-5-20251101": 64_000,
    "claude-sonnet-4-5": 64_000,
    "claude-sonnet-4-5-20250929": 64_000,
    "claude-haiku-4-5": 64_000,
    "claude-haiku-4-5-20251001": 64_000,
    "claude-opus-4-1": 32_000,
    "claude-opus-4-1-20250805": 32_000,
}

MODELS = {id_: _model(id_, cap) for id_, cap in _CAPS.items()}
