"""Model metadata that a backend reports."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model that a backend offers: `id` is `claude-opus-5-5`, `name` the CLI's short name for it (`opus`), if any."""

    id: str
    name: str = ""
    display_name: str = ""
    description: str = ""
    effort_levels: tuple[str, ...] = ()
    supports_thinking_off: bool | None = None
    is_default: bool = False
