"""What a client has to be told: where the server is, the key, and a model."""

from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

NOT_NEEDED = "not-needed"
"""What stands for the key where none is required: clients insist on one."""

MASK = "dgm-••••••••"
"""What is shown in the place of a key."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a model takes and gives at most, in tokens: `context` is the conversation with its answer."""

    context: int = 200_000
    output: int = 32_000


@dataclass(frozen=True, slots=True)
class Connection:
    """`url` is the server's, without a path; `key` None: none is required."""

    url: str
    key: str | None
    model: str
    limits: Limits = field(default_factory=Limits)
    """The model's."""

    @property
    def openai_url(self) -> str:
        """The base URL for clients that speak OpenAI's dialect."""
        return f"{self.url}/v1"

    @property
    def secret(self) -> str:
        """What goes into the field for the key."""
        return NOT_NEEDED if self.key is None else self.key

    @property
    def port(self) -> int:
        """0: any free one, known when the server runs."""
        return urlsplit(self.url).port or 0

    def masked(self) -> "Connection":
        """The same, to be looked at by whoever stands behind the person."""
        return self if self.key is None else replace(self, key=MASK)
