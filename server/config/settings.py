"""The settings. Precedence, highest first: command line, environment (`DRAGOMAN_*`), settings file, default.

The file is `settings.toml` in `config_dir`. Secrets are not settings: see `server.secrets`.
"""

import functools
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, TypeAdapter, ValidationError

from server.config.addresses import is_this_computer
from server.config.paths import default_config_dir, default_data_dir
from server.config.setting_types import (
    Aliases,
    BaseUrl,
    CollectorUrl,
    Directory,
    ExpiryHours,
    KeyStorage,
    LogLevel,
    ModelOrChain,
    Names,
    OptionalFile,
    Ports,
    RateLimit,
    Seconds,
)
from server.config.settings_file import SETTINGS_FILE, edit_settings_file, read_settings_file
from server.core.errors import COMMAND_LINE, SettingsInvalid

ENV_PREFIX = "DRAGOMAN_"
NONE_IS_A_VALUE = frozenset({"session_ttl_hours"})
"""Settings that may be None while their default is something else."""


class Settings(BaseModel):
    """All settings. `Settings(port=0)` uses its arguments and the defaults only; `load_settings` reads all sources."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    host: str = Field("127.0.0.1", min_length=1)
    """Address or name to listen on."""
    port: int = Field(8000, ge=0, le=65535)
    """0 takes any free port."""
    extra_ports: Ports = ()
    """Further ports, for programs that know only Ollama's (11434) or LM Studio's (1234). One in use is passed over."""
    data_dir: Directory = Field(default_factory=default_data_dir)
    config_dir: Directory = Field(default_factory=default_config_dir)

    api_key_required: bool = True
    keyless_access: bool = False
    """Whether programs on this computer that can send no key may use the paths that such programs use. Never pages."""
    key_storage: KeyStorage = "keyring"
    allowed_hosts: Names = ()
    """Names that a Host header may contain besides the loopback names and `host`."""
    allowed_origins: Names = ()
    """Origins that may use the server, as `https://app.example`, `app://obsidian.md` or `vscode-webview://*`."""
    max_body_bytes: int = Field(33_554_432, ge=1024)
    """The default is the Messages API's own limit, 32 MiB."""
    max_header_bytes: int = Field(65536, ge=1024)
    rate_limit: RateLimit = "600/minute"
    """Per API key, in the notation of the `limits` package, such as `120/minute`; empty: no limit."""
    fetch_images: bool = False
    """Whether the server fetches images that a request names by URL."""

    session_ttl_hours: ExpiryHours = 24
    """Hours after its last use at which a session is deleted; None, written `never`: kept."""
    history: bool = True
    """Whether sessions and requests are kept at all."""
    log_bodies: bool = False
    """Whether the bodies of requests and responses are stored with them."""
    log_prompts: bool = False
    """Whether the log may contain prompts and answers."""
    log_level: LogLevel = "info"
    otlp_endpoint: CollectorUrl = ""
    """URL of an OpenTelemetry collector that gets a trace of each request, by OTLP/HTTP; empty: none."""
    check_updates: bool = False
    """Whether the desktop application asks once a day for the list of releases. It never downloads any."""

    default_model: ModelOrChain = Field("default", min_length=1)
    aliases: Aliases = Field(default_factory=dict)
    """Maps the model names of clients to models or chains of models (`opus > sonnet`)."""

    claude_path: OptionalFile = None
    """The Claude Code program; None: found automatically."""
    load_user_settings: bool = False
    """Whether the user's Claude Code settings give the account (needed for Bedrock, Vertex or an apiKeyHelper)."""
    spares: int = Field(1, ge=0, le=8)
    """Processes kept ready for new conversations."""
    max_conversations: int = Field(8, ge=1, le=64)
    max_memory_mb: int = Field(4096, ge=256)
    """For all Claude Code processes together."""
    idle_seconds: Seconds = 900
    """Time without a request after which a conversation's process is ended."""
    queue_seconds: Seconds = 30
    """How long a request waits for a free process."""
    hold_seconds: Seconds = 600
    """How long tool calls wait for the client's results."""
    first_event_timeout: Seconds = 600
    request_timeout: Seconds = 3600

    anthropic_fallback: bool = True
    """Whether the Anthropic API answers with the user's own key, if one is stored, when Claude Code cannot."""
    fallback_on_plan_limit: bool = False
    """Whether it also answers when the plan's limit is reached. Each of these answers costs money."""
    api_usd_a_day: float = Field(0.0, ge=0, le=100_000)
    """The most that the Anthropic API may cost on a day, in US dollars; 0: no limit."""
    api_usd_a_month: float = Field(0.0, ge=0, le=1_000_000)
    """The same for a calendar month."""
    anthropic_base_url: BaseUrl = "https://api.anthropic.com"
    """URL of the Anthropic API."""

    _unknown_keys: tuple[str, ...] = PrivateAttr(default=())

    @property
    def unknown_keys(self) -> tuple[str, ...]:
        """Unknown keys of the settings file; a newer version may have written them."""
        return self._unknown_keys

    @property
    def session_ttl_seconds(self) -> float | None:
        """Seconds for which sessions and requests are kept after their last use; None: forever."""
        return None if self.session_ttl_hours is None else self.session_ttl_hours * 3600

    @property
    def settings_file(self) -> Path:
        """Path of the settings file, which may not exist."""
        return self.config_dir / SETTINGS_FILE

    def warnings(self) -> list[str]:
        """Texts about settings that are valid but may be a mistake."""
        texts = []
        if self.unknown_keys:
            texts.append(f"{self.settings_file} has unknown settings: {', '.join(self.unknown_keys)}")
        if not self.api_key_required and not is_this_computer(self.host):
            texts.append("anyone on the network can use this server: no API key is required")
        return texts


def load_settings(overrides: Mapping[str, Any] | None = None) -> Settings:
    """Load the settings from all sources; `overrides` come from the command line, None there means: not given.

    Raises SettingsInvalid, which names the setting and the source of its value.
    """
    environment, given = _read_fixed_values(overrides)
    config_dir = Path(given.get("config_dir") or environment.get("config_dir") or default_config_dir())
    path = config_dir.expanduser().absolute() / SETTINGS_FILE
    in_file = read_settings_file(path)
    # The file cannot move itself.
    settable = Settings.model_fields.keys() - {"config_dir"}
    known = {name: value for name, value in in_file.items() if name in settable}
    fixed_by = _name_sources(environment, given)
    try:
        settings = Settings(**{**known, **environment, **given})
    except ValidationError as error:
        raise _as_settings_invalid(error, lambda name: fixed_by.get(name, str(path))) from None
    settings._unknown_keys = tuple(sorted(set(in_file) - set(known)))
    return settings


def fixed_settings(overrides: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Map each setting that the file cannot change to its source: the environment variable, or "command line".

    `overrides` as in `load_settings`.
    """
    return _name_sources(*_read_fixed_values(overrides))


def _read_fixed_values(overrides: Mapping[str, Any] | None) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Read the values of the environment and of the command line. An empty variable counts as not set."""
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    variables = {name.upper(): value for name, value in os.environ.items() if value}
    named = {name: f"{ENV_PREFIX}{name.upper()}" for name in Settings.model_fields}
    return {name: variables[variable] for name, variable in named.items() if variable in variables}, given


def _name_sources(environment: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, str]:
    variables = {name: f"{ENV_PREFIX}{name.upper()}" for name in environment}
    return variables | dict.fromkeys(given, COMMAND_LINE)


def write_settings(config_dir: Path, changes: Mapping[str, Any]) -> None:
    """Change settings in the file in `config_dir`. Comments, order and unknown keys stay.

    None removes a setting from the file, so that its default applies; `session_ttl_hours`, which may be None itself,
    is written as `never`. Raises SettingsInvalid for an unknown name, an invalid value, and a file that cannot be read
    or written; the file is unchanged then.
    """
    path = config_dir / SETTINGS_FILE
    plain = {}
    for name, value in changes.items():
        if name not in Settings.model_fields:
            raise _no_such_setting(name, str(path))
        plain[name] = None if _means_default(name, value) else _plain_value(name, value, str(path))
    edit_settings_file(path, plain)


def with_changes(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """Copy `settings` with other values; None as in `write_settings`. Writes nothing. Raises SettingsInvalid."""
    values = {**settings.model_dump(), **changes}
    for name in Settings.model_fields:
        if _means_default(name, values[name]):
            del values[name]
    try:
        return Settings(**values)
    except ValidationError as error:
        raise _as_settings_invalid(error, lambda _: "what was entered") from None


def validated_value(name: str, value: Any) -> Any:
    """Validate `value` for the setting `name` alone, and return it as `Settings` holds it. Raises ValidationError."""
    return _value_type(name).validate_python(value)


@functools.cache
def _value_type(name: str) -> TypeAdapter[Any]:
    """The type of one setting, with its limits. Validating with it is much cheaper than building `Settings`."""
    field = Settings.model_fields[name]
    limited: Any = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    return TypeAdapter(limited)


def _plain_value(name: str, value: Any, source: str) -> Any:
    """`value` as TOML can hold it."""
    try:
        plain = _value_type(name).dump_python(validated_value(name, value), mode="json")
    except ValidationError as error:
        raise _as_settings_invalid(error, lambda _: source, name=name) from None
    return "never" if plain is None else plain


def _means_default(name: str, value: Any) -> bool:
    return value is None and name not in NONE_IS_A_VALUE


def _as_settings_invalid(error: ValidationError, source: Callable[[str], str], name: str = "") -> SettingsInvalid:
    """The first problem of `error`. `source(name)` is the source of that setting's value."""
    first = error.errors(include_url=False)[0]
    name = name or (str(first["loc"][0]) if first["loc"] else "")
    where = source(name)
    if first["type"] == "extra_forbidden":
        return _no_such_setting(name, where)
    reason = re.sub(r"^Value error, ", "", first["msg"]).rstrip(".")
    reason = reason[:1].lower() + reason[1:]
    message = f"The setting {name!r} ({where}) cannot be {first['input']!r}: {reason}."
    return SettingsInvalid(message, name=name, source=where, hint="Correct it there, or remove it.")


def _no_such_setting(name: str, source: str) -> SettingsInvalid:
    return SettingsInvalid(f"There is no setting {name!r} ({source}).", name=name, source=source)
