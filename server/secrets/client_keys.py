"""A client key: a name, the digest of a key, and the rules for requests that are made with it.

A key is 256 random bits, so a plain SHA-256 is enough: there is nothing to guess from a stolen digest, unlike with a
password. A slow or salted hash would only cost time at every request, and prevent the lookup by digest.
"""

import hashlib
import re
import secrets
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from server.core.errors import SetupError
from server.core.messages import Effort
from server.core.records import MAIN_KEY

MAX_NAME = 40
MAX_SYSTEM = 20_000
"""Characters of the preset system text."""
MAX_REVOKED = 20
"""Revoked keys that are remembered, for their undo and for the message to a client that still sends one."""

SystemPosition = Literal["prepend", "append"]


def _check_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or not name.isprintable():
        raise ValueError("must have at least one character, and no control characters")
    if name.casefold() == MAIN_KEY:
        raise ValueError("is the name of the server's own key")
    return name


def _check_models(models: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for model in models if (name := model.strip())))


KeyName = Annotated[str, Field(max_length=MAX_NAME), AfterValidator(_check_name)]
Models = Annotated[tuple[str, ...], AfterValidator(_check_models)]
Count = Annotated[int, Field(ge=1, le=10**12)]


class ClientKey(BaseModel):
    """A client's key and its rules. Times are epoch seconds; None or an empty value means: no rule.

    Fields of a newer version are kept, since the older one writes them back.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    id: str
    name: KeyName
    digest: str
    """SHA-256 of the key, in hexadecimal."""
    created_at: float
    expires_at: float | None = None
    revoked_at: float | None = None
    model: str = ""
    """Serves requests that name no model, or `default`."""
    effort: Effort | None = None
    """For requests that ask for none."""
    system: str = Field("", max_length=MAX_SYSTEM)
    """A system text for every request, before or after the client's own."""
    system_position: SystemPosition = "prepend"
    requests_a_minute: Count | None = None
    """Takes the place of the setting `rate_limit`."""
    tokens_a_day: Count | None = None
    """Input, including cached tokens, and output together. A day is one of local time."""
    usd_a_day: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """At list prices."""
    concurrent: Count | None = None
    """Requests at the same time."""
    models: Models = ()
    """The models that may be used, by any of their names; empty: all."""

    def has_expired(self, now: float) -> bool:
        """Whether the key's time is over."""
        return self.expires_at is not None and now >= self.expires_at


RULES = tuple(
    name for name in ClientKey.model_fields if name not in ("id", "name", "digest", "created_at", "revoked_at")
)
"""The fields that the user may change."""
_KEYS = TypeAdapter(list[ClientKey])


def digest_of(key: str) -> str:
    """The digest under which a key is stored."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def make_client_key(name: str, key: str, *, now: float, **rules: Any) -> ClientKey:
    """Make the entry for `key`. Raises SetupError for an invalid name or rule."""
    identity = {"id": f"key_{secrets.token_hex(6)}", "digest": digest_of(key), "created_at": now}
    return _validated({**rules, "name": name, **identity})


def with_rules(key: ClientKey, **rules: Any) -> ClientKey:
    """A copy with other rules. Raises SetupError for an invalid one."""
    return _validated({**key.model_dump(), **rules})


def dump_keys(keys: list[ClientKey]) -> str:
    """The keys as the text of one secret; rules that are not set take no room."""
    return _KEYS.dump_json(keys, exclude_defaults=True).decode()


def load_keys(text: str | None) -> list[ClientKey]:
    """Read the text of `dump_keys`; None has no keys. Raises SetupError if it is damaged."""
    try:
        return _KEYS.validate_json(text) if text else []
    except ValidationError:
        raise SetupError(
            "The stored client keys are damaged.",
            hint="Remove the secret 'client_keys' where secrets are kept, and make the keys again.",
        ) from None


def _validated(values: dict[str, Any]) -> ClientKey:
    try:
        return ClientKey(**values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = str(first["loc"][0])
        reason = re.sub(r"^Value error, ", "", first["msg"]).rstrip(".")
        raise SetupError(
            f"A client key cannot have {first['input']!r} as {field.replace('_', ' ')}: "
            f"{reason[:1].lower()}{reason[1:]}."
        ) from None
