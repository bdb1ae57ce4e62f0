"""The settings. Precedence, highest first: command line, environment (`DRAGOMAN_*`), settings file, default.

The file is `settings.toml` in `config_dir`. Secrets are not settings: see `server.secrets`.
"""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, ValidationError, field_validator

from server.config.addresses import is_this_computer
from server.config.paths import default_config_dir, default_data_dir
from server.config.settings_file import SETTINGS_FILE, edit_settings_file, read_settings_file
from server.core.errors import COMMAND_LINE, SettingsInvalid

ENV_PREFIX = "DRAGOMAN_"
NONE_IS_A_VALUE = frozenset({"session_ttl_hours"})
"""Settings that may be None while their default is something else."""

LogLevel = Literal["debug", "info", "warning", "error"]
KeyStorage = Literal["keyring", "file", "memory"]


def _split_list(value: Any) -> Any:
    """`a, b` from the environment; lists pass."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _split_pairs(value: Any) -> Any:
    """`gpt-5=opus, gpt-4o=sonnet` from the environment; mappings pass."""
    if not isinstance(value, str):
        return value
    pairs = [part.partition("=") for part in value.split(",") if part.strip()]
    if not all(name.strip() and equals and target.strip() for name, equals, target in pairs):
        raise ValueError("must be written as name=model, name=model")
    return {name.strip(): target.strip() for name, _, target in pairs}


def _never(value: Any) -> Any:
    """TOML and the environment have no null: `never` is None."""
    return None if isinstance(value, str) and value.strip().lower() == "never" else value


def _absolute(value: Any) -> Any:
    if not isinstance(value, str | Path):
        return value
    try:
        return Path(value).expanduser().absolute()
    except RuntimeError:  # there is no such user, or this one has no home
        raise ValueError("names a home folder that does not exist") from None


def _absolute_or_none(value: Any) -> Any:
    return None if value == "" else _absolute(value)


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_split_list)]
Aliases = Annotated[dict[str, str], BeforeValidator(_split_pairs)]
Directory = Annotated[Path, BeforeValidator(_absolute)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Settings(BaseModel):
    """All settings. `Settings(port=0)` takes what it is given and defaults only: see `load_settings`."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    host: str = Field("127.0.0.1", min_length=1)
    """Address or name to listen on."""
    port: int = Field(8000, ge=0, le=65535)
    """0 takes any free port."""
    data_dir: Directory = Field(default_factory=default_data_dir)
    config_dir: Directory = Field(default_factory=default_config_dir)

    api_key_required: bool = True
    key_storage: KeyStorage = "keyring"
    allowed_hosts: Names = ()
    """Names that a Host header may hold besides the loopback names and `host`."""
    allowed_origins: Names = ()
    """Web origins that may use the server, as `https://app.example`."""
    max_body_bytes: int = Field(33_554_432, ge=1024)
    """The default is the Messages API's own limit, 32 MiB."""
    max_header_bytes: int = Field(65536, ge=1024)
    rate_limit: str = "600/minute"
    """For each API key, in the notation of the `limits` package, as `120/minute`; empty: none."""
    fetch_images: bool = False
    """Whether images given by an http address are fetched."""

    session_ttl_hours: Annotated[Seconds | None, BeforeValidator(_never)] = 24
    """Hours after its last use until a session is deleted; None, written `never`: kept."""
    history: bool = True
    """Whether sessions and requests are kept at all."""
    log_bodies: bool = False
    """Whether the bodies of requests and answers are kept with them."""
    log_prompts: bool = False
    """Whether the log may hold what people write."""
    log_level: Annotated[LogLevel, BeforeValidator(_lower)] = "info"

    default_model: str = Field("default", min_length=1)
    aliases: Aliases = Field(default_factory=dict)
    """Model names of clients, and the models that they stand for."""

    claude_path: Annotated[Path | None, BeforeValidator(_absolute_or_none)] = None
    """The Claude Code program; None: looked for."""
    load_user_settings: bool = False
    """Whether the user's Claude Code settings give the account (needed for Bedrock, Vertex or an apiKeyHelper)."""
    spares: int = Field(1, ge=0, le=8)
    """Processes kept ready for new conversations."""
    max_conversations: int = Field(8, ge=1, le=64)
    max_memory_mb: int = Field(4096, ge=256)
    """For all Claude Code processes together."""
    idle_seconds: Seconds = 900
    """After so long without a request a conversation's process is ended."""
    queue_seconds: Seconds = 30
    """How long a request waits for a free process."""
    hold_seconds: Seconds = 600
    """How long tool calls wait for the client's results."""
    first_event_timeout: Seconds = 600
    request_timeout: Seconds = 3600

    anthropic_fallback: bool = True
    """Whether the Anthropic API serves with the person's own key, if one is stored, where Claude Code cannot."""
    fallback_on_plan_limit: bool = False
    """Whether it does so when the plan's limit is reached, too: every answer then costs money."""
    anthropic_base_url: str = "https://api.anthropic.com"
    """Where the Anthropic API is."""

    _unknown_keys: tuple[str, ...] = PrivateAttr(default=())

    @field_validator("rate_limit")
    @classmethod
    def _check_rate_limit(cls, value: str) -> str:
        if not value.strip():
            return ""
        from limits import parse_many

        try:
            parse_many(value)
        except ValueError:
            raise ValueError("must be written as 120/minute, or be empty for no limit") from None
        return value

    @field_validator("anthropic_base_url")
    @classmethod
    def _check_base_url(cls, value: str) -> str:
        parts = urlsplit(value.strip())
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.port == 0:
            raise ValueError("must be a URL such as https://api.anthropic.com")
        if parts.scheme == "http" and not is_this_computer(parts.hostname):
            raise ValueError("must begin with https://, because the API key is sent there")
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError("must not contain a user name, a query or a fragment")
        return value.strip().rstrip("/")

    @property
    def unknown_keys(self) -> tuple[str, ...]:
        """Keys of the settings file that this version does not know; a newer one may have written them."""
        return self._unknown_keys

    @property
    def session_ttl_seconds(self) -> float | None:
        """How long sessions and requests are kept after their last use; None: for ever."""
        return None if self.session_ttl_hours is None else self.session_ttl_hours * 3600

    @property
    def settings_file(self) -> Path:
        """Where the settings file is, or would be."""
        return self.config_dir / SETTINGS_FILE


def load_settings(overrides: Mapping[str, Any] | None = None) -> Settings:
    """The settings from all sources; `overrides` come from the command line, and None there means: not given.

    Raises SettingsInvalid, which names the setting and where its value came from.
    """
    environment, given = _fixed(overrides)
    config_dir = Path(given.get("config_dir") or environment.get("config_dir") or default_config_dir())
    path = config_dir.expanduser().absolute() / SETTINGS_FILE
    in_file = read_settings_file(path)
    # The file cannot move itself.
    settable = Settings.model_fields.keys() - {"config_dir"}
    known = {name: value for name, value in in_file.items() if name in settable}
    fixed_by = _names_of_sources(environment, given)
    try:
        settings = Settings(**{**known, **environment, **given})
    except ValidationError as error:
        raise _invalid(error, lambda name: fixed_by.get(name, str(path))) from None
    settings._unknown_keys = tuple(sorted(set(in_file) - set(known)))
    return settings


def sources(overrides: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Who fixes a setting, so that the file has no say in it: the environment variable's name, or "command line".

    `overrides` as in `load_settings`. A setting that nobody fixes is not in there.
    """
    return _names_of_sources(*_fixed(overrides))


def _fixed(overrides: Mapping[str, Any] | None) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What the environment and the command line say; the latter takes precedence. An empty variable says nothing."""
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    variables = {name.upper(): value for name, value in os.environ.items() if value}
    named = {name: f"{ENV_PREFIX}{name.upper()}" for name in Settings.model_fields}
    return {name: variables[variable] for name, variable in named.items() if variable in variables}, given


def _names_of_sources(environment: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, str]:
    variables = {name: f"{ENV_PREFIX}{name.upper()}" for name in environment}
    return variables | dict.fromkeys(given, COMMAND_LINE)


def write_settings(config_dir: Path, changes: Mapping[str, Any]) -> None:
    """Change settings in the file in `config_dir`, and nothing else: comments, order, unknown keys stay.

    None takes a setting out of the file, so that its default holds again; `session_ttl_hours`, where None is
    a value of its own, is written as `never`. Raises SettingsInvalid for a name or value that cannot be, and
    for a file that cannot be read or written; the file is then as it was.
    """
    path = config_dir / SETTINGS_FILE
    given = {name: value for name, value in changes.items() if value is not None or name in NONE_IS_A_VALUE}
    try:
        checked = Settings(**given)
    except ValidationError as error:
        raise _invalid(error, lambda _: str(path)) from None
    unknown = [name for name in changes if name not in Settings.model_fields]
    if unknown:
        raise SettingsInvalid(f"There is no setting {unknown[0]!r}.", name=unknown[0], source=str(path))
    plain = checked.model_dump(mode="json", include=set(given))
    edit_settings_file(path, {name: _in_toml(plain[name]) if name in given else None for name in changes})


def with_changes(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """`settings` with other values; None means the same as for `write_settings`. Nothing is written.

    Raises SettingsInvalid.
    """
    values = settings.model_dump()
    for name, value in changes.items():
        if value is None and name not in NONE_IS_A_VALUE and name in Settings.model_fields:
            del values[name]
        else:
            values[name] = value
    try:
        return Settings(**values)
    except ValidationError as error:
        raise _invalid(error, lambda _: "what was entered") from None


def _in_toml(value: Any) -> Any:
    return "never" if value is None else value


def _invalid(error: ValidationError, source: Callable[[str], str]) -> SettingsInvalid:
    """The first thing that `error` complains of; `source(name)` says where that setting's value came from."""
    first = error.errors(include_url=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    where = source(name)
    if first["type"] == "extra_forbidden":
        return SettingsInvalid(f"There is no setting {name!r} ({where}).", name=name, source=where)
    reason = re.sub(r"^Value error, ", "", first["msg"]).rstrip(".")
    reason = reason[:1].lower() + reason[1:]
    message = f"The setting {name!r} ({where}) cannot be {first['input']!r}: {reason}."
    return SettingsInvalid(message, name=name, source=where, hint="Correct it there, or remove it.")
