"""The doctor's checks: each looks at one thing, changes nothing, and says what to do about it."""

import os
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from server.backends.claude_cli.transport.locate import locate_cli
from server.backends.claude_cli.transport.probe import Probe, run_probe
from server.config.own_commands import sign_in_hint
from server.config.settings import Settings
from server.core.errors import SetupError, TrayError
from server.hosting.port_check import look_at_port
from server.hosting.sockets import address_url
from server.secrets import API_KEY, open_key_store
from server.secrets.anthropic_key import ANTHROPIC_API_KEY


@dataclass(frozen=True, slots=True)
class Check:
    """What one check found. `hint` says what to do, where there is something to do."""

    name: str
    status: Literal["ok", "warn", "fail"]
    detail: str
    hint: str = ""


async def check_all(settings: Settings) -> list[Check]:
    """All checks, in the order in which one would mend things."""
    claude = await check_claude(settings)
    return [
        check_settings(settings),
        *claude,
        await check_key(settings),
        await check_anthropic_key(settings),
        await check_port(settings),
        check_database(settings),
    ]


def check_settings(settings: Settings) -> Check:
    """The settings file; its values have been checked by now."""
    path = settings.settings_file
    if settings.unknown_keys:
        names = ", ".join(settings.unknown_keys)
        return Check("settings", "warn", f"{path} has unknown settings: {names}")
    return Check("settings", "ok", str(path) if os.path.exists(path) else f"defaults; there is no {path}")


async def check_claude(settings: Settings) -> list[Check]:
    """Whether Claude Code is there, runs, and is signed in."""
    try:
        path = locate_cli(settings.claude_path)
        found = await _probe(path, settings)
    except TrayError as error:
        return [Check("Claude Code", "fail", error.message, error.hint)]
    checks = [Check("Claude Code", "ok", f"{path}, version {found.version or 'unknown'}")]
    if not found.signed_in:
        return [*checks, Check("account", "fail", "Claude Code is not signed in", sign_in_hint(path))]
    return [*checks, Check("account", "ok", account_kind(found.account))]


async def _probe(path: Path, settings: Settings) -> Probe:
    with tempfile.TemporaryDirectory(prefix="dragoman-") as directory:
        return await run_probe(path, Path(directory), os.environ, load_user_settings=settings.load_user_settings)


def account_kind(account: Mapping[str, Any]) -> str:
    """What pays for the work, in words: a plan, an API key, or a cloud. Field names are the CLI's."""
    provider = account.get("apiProvider") or "firstParty"
    if provider != "firstParty":
        return f"signed in through {provider}"
    if plan := account.get("subscriptionType"):
        return f"signed in with a plan ({plan})"
    source = account.get("apiKeySource")
    if source and source != "none":
        return f"signed in with an API key ({source})"
    variable = account.get("tokenSource", "none")
    return "signed in" if variable == "none" else f"signed in with {variable}"


async def check_key(settings: Settings) -> Check:
    """Where the API key is, or would be."""
    try:
        key_store = await open_key_store(settings)
        await key_store.get(API_KEY)
    except SetupError as error:
        return Check("API key", "fail", error.message, error.hint)
    if not settings.api_key_required:
        return Check("API key", "warn", "not required: any program on this computer can use the server")
    lost = key_store.kind == "memory" and settings.key_storage != "memory"
    return Check("API key", "warn" if lost else "ok", key_store.description)


async def check_anthropic_key(settings: Settings) -> Check:
    """Whether the person has stored a key for the Anthropic API, and whether it is used."""
    name = "Anthropic API key"
    try:
        key_store = await open_key_store(settings)
        stored = await key_store.get(ANTHROPIC_API_KEY) is not None
    except SetupError as error:
        return Check(name, "fail", error.message, error.hint)
    if not stored:
        return Check(name, "ok", "none stored; needed only where Claude Code cannot answer")
    if not settings.anthropic_fallback:
        return Check(name, "ok", "stored but not used: the setting anthropic_fallback is off")
    when = " or its plan is used up" if settings.fallback_on_plan_limit else ""
    return Check(name, "ok", f"stored; billed where Claude Code is missing or not signed in{when}")


async def check_port(settings: Settings) -> Check:
    """Whether the port can be had, or this server has it already."""
    report = await look_at_port(settings.host, settings.port)
    if report.error is None:
        address = address_url(settings.host, settings.port)
        return Check("port", "ok", f"{address} is free" if settings.port else "any free port will be used")
    if report.ours:
        return Check("port", "ok", f"the server is running on port {settings.port} (version {report.ours})")
    held = f"{report.error.message.rstrip('.')}: {report.holder}" if report.holder else report.error.message
    return Check("port", "fail", held, report.error.hint)


def check_database(settings: Settings) -> Check:
    """Whether the database is one that this version can use, and can be written."""
    from server.config.paths import DATABASE_FILE
    from server.store.database import look
    from server.store.migrate import shipped_migrations, user_version

    path = settings.data_dir / DATABASE_FILE
    if not _can_write(path):
        hint = "Check its permissions, or choose another --data-dir."
        return Check("database", "fail", f"{path} cannot be written", hint)
    if not os.path.exists(path):
        return Check("database", "ok", f"will be created as {path}")
    try:
        look(path, known=len(shipped_migrations()))
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            version = user_version(connection)
    except TrayError as error:
        return Check("database", "fail", error.message, error.hint)
    except (sqlite3.Error, OSError) as error:
        hint = "The server will set it aside and start a new one."
        return Check("database", "fail", f"{path} cannot be read: {error}", hint)
    return Check("database", "ok", f"{path}, version {version}, {path.stat().st_size / 1e6:.1f} MB")


def _can_write(path: Path) -> bool:
    """Whether the file, or else the nearest directory above it that is there, lets itself be written."""
    place = next(place for place in (path, *path.parents) if os.path.exists(place))
    return os.access(place, os.W_OK) and (place == path or place.is_dir())
