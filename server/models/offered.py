"""A model as lists of models describe it."""

from dataclasses import dataclass

from server.models.table import Capabilities


@dataclass(frozen=True, slots=True)
class OfferedModel:
    """A model under one of its names.

    `id` is its full id, `display_name` the name for people, `capabilities` hold its limits in tokens.
    """

    name: str
    id: str
    display_name: str
    capabilities: Capabilities
