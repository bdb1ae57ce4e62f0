"""Model metadata that a backend reports."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model of a backend: `id` `claude-opus-5-5`, `name` `opus`, if any."""

    id: str
    name: str = ""
    display_name: str = ""
    description: str = ""
    effort_levels: tuple[str, ...] = ()
    supports_thinking_off: bool | None = None
    is_default: bool = False
