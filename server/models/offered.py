"""A model as lists of models describe it."""

from dataclasses import dataclass

from server.models.windows import Window


@dataclass(frozen=True, slots=True)
class OfferedModel:
    """A model under one of its names.

    `id` is its full id, `display_name` the name for people.
    """

    name: str
    id: str
    display_name: str
    window: Window
