"""What a backend says of a model."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model as the backend offers it.

    `id` is the full id (`claude-opus-5-5`), `name` the short one that the CLI lists it under (`opus`), if any.
    """

    id: str
    name: str = ""
    display_name: str = ""
    description: str = ""
    effort_levels: tuple[str, ...] = ()
    supports_thinking_off: bool | None = None
    is_default: bool = False
