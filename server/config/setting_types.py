"""The types of settings, with their limits and their spellings in the environment."""

from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from server.config.addresses import is_this_computer
from server.models.name_parts import CHAIN, split_chain


def _split_list(value: Any) -> Any:
    """Split `a, b` from the environment. Lists are returned as they are."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _split_pairs(value: Any) -> Any:
    """Split `gpt-5=opus, gpt-4o=sonnet` from the environment. Mappings are returned as they are."""
    if not isinstance(value, str):
        return value
    pairs = [part.partition("=") for part in value.split(",") if part.strip()]
    if not all(name.strip() and equals and target.strip() for name, equals, target in pairs):
        raise ValueError("must be written as name=model, name=model")
    return {name.strip(): target.strip() for name, _, target in pairs}


def _check_chain(value: str) -> str:
    if CHAIN in value and not all(split_chain(value)):
        raise ValueError("must name a model before and after each >")
    return value


def _check_alias_name(value: str) -> str:
    if CHAIN in value:
        raise ValueError("must be names without >, which separates the models of a chain")
    return value


def _parse_never(value: Any) -> Any:
    """Turn `never` into None, because TOML and the environment have no null."""
    return None if isinstance(value, str) and value.strip().lower() == "never" else value


def _make_absolute(value: Any) -> Any:
    if not isinstance(value, str | Path):
        return value
    try:
        return Path(value).expanduser().absolute()
    except RuntimeError:  # there is no such user, or this one has no home
        raise ValueError("names a home folder that does not exist") from None


def _make_absolute_or_none(value: Any) -> Any:
    return None if value == "" else _make_absolute(value)


def _to_lower_case(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _check_rate_limit(value: str) -> str:
    if not value.strip():
        return ""
    from limits import parse_many

    try:
        parse_many(value)
    except ValueError:
        raise ValueError("must be written as 120/minute, or be empty for no limit") from None
    return value


def _check_base_url(value: str) -> str:
    parts = urlsplit(value.strip())
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.port == 0:
        raise ValueError("must be a URL such as https://api.anthropic.com")
    if parts.scheme == "http" and not is_this_computer(parts.hostname):
        raise ValueError("must begin with https://, because the API key is sent there")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("must not contain a user name, a query or a fragment")
    return value.strip().rstrip("/")


Names = Annotated[tuple[str, ...], BeforeValidator(_split_list)]
ModelOrChain = Annotated[str, AfterValidator(_check_chain)]
Aliases = Annotated[
    dict[Annotated[str, AfterValidator(_check_alias_name)], ModelOrChain], BeforeValidator(_split_pairs)
]
Directory = Annotated[Path, BeforeValidator(_make_absolute)]
OptionalFile = Annotated[Path | None, BeforeValidator(_make_absolute_or_none)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
ExpiryHours = Annotated[Seconds | None, BeforeValidator(_parse_never)]
LogLevel = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_to_lower_case)]
KeyStorage = Literal["keyring", "file", "memory"]
RateLimit = Annotated[str, AfterValidator(_check_rate_limit)]
BaseUrl = Annotated[str, AfterValidator(_check_base_url)]
