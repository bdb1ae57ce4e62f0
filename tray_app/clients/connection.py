"""The server's address, key and model, as a client needs them."""

from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

NOT_NEEDED = "not-needed"
"""The placeholder for a key that is not required: clients insist on one."""

MASK = "dgm-••••••••"
"""The text that is shown instead of a key."""


@dataclass(frozen=True, slots=True)
class Limits:
    """A model's limits in tokens; `context` is conversation and answer together."""

    context: int = 200_000
    output: int = 32_000


@dataclass(frozen=True, slots=True)
class OfferedModel:
    """A model that a client can offer to its user. `efforts` are those that it takes, in increasing order."""

    name: str
    title: str
    limits: Limits
    efforts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Connection:
    """`url` is the server's, without a path; `key` is None if none is required.

    `models` are further models for clients that list them.
    """

    url: str
    key: str | None
    model: str
    limits: Limits = field(default_factory=Limits)
    models: tuple[OfferedModel, ...] = ()

    @property
    def openai_url(self) -> str:
        """The base URL for clients of OpenAI's API."""
        return f"{self.url}/v1"

    @property
    def secret(self) -> str:
        """The value for a client's key field."""
        return NOT_NEEDED if self.key is None else self.key

    @property
    def port(self) -> int:
        """The server's port; 0 for any free one, until the server runs."""
        return urlsplit(self.url).port or 0

    def with_masked_key(self) -> "Connection":
        """A copy to show on the screen, without the key."""
        return self if self.key is None else replace(self, key=MASK)
