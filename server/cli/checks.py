"""The checks of `dragoman doctor`. They change nothing."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from server.backends.claude_cli.account_check import check_claude
from server.config.settings import Settings
from server.core.check import Check
from server.core.errors import DragomanError, SetupError
from server.hosting.port_check import inspect_port
from server.hosting.sockets import address_url
from server.secrets import API_KEY, open_key_store
from server.secrets.anthropic_key import ANTHROPIC_API_KEY


async def check_all(settings: Settings) -> list[Check]:
    """Run all checks, in the order in which a user would fix problems."""
    claude = await check_claude(
        settings.claude_path, load_user_settings=settings.load_user_settings, data_dir=settings.data_dir
    )
    return [
        check_settings(settings),
        *claude,
        await check_key(settings),
        await check_anthropic_key(settings),
        await check_port(settings),
        *[await check_extra_port(settings.host, port) for port in settings.extra_ports],
        check_database(settings),
    ]


def check_settings(settings: Settings) -> Check:
    """Check the settings file for unknown keys. Its values are already validated."""
    path = settings.settings_file
    if settings.unknown_keys:
        names = ", ".join(settings.unknown_keys)
        return Check("settings", "warn", f"{path} has unknown settings: {names}")
    return Check("settings", "ok", str(path) if os.path.exists(path) else f"defaults; there is no {path}")


async def check_key(settings: Settings) -> Check:
    """Check the storage of the API key."""
    try:
        key_store = await open_key_store(settings)
        await key_store.get(API_KEY)
    except SetupError as error:
        return Check("API key", "fail", error.message, error.hint)
    if not settings.api_key_required:
        return Check("API key", "warn", "not required: any program on this computer can use the server")
    if settings.keyless_access:
        return Check("API key", "warn", "keyless_access is on: any program on this computer can use some paths")
    lost = key_store.fell_back_to_memory(settings.key_storage)
    return Check("API key", "warn" if lost else "ok", key_store.description)


async def check_anthropic_key(settings: Settings) -> Check:
    """Check whether the user's Anthropic API key is stored and used."""
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
    """Check that the port is free, or that Dragoman listens on it."""
    report = await inspect_port(settings.host, settings.port)
    if report.error is None:
        address = address_url(settings.host, settings.port)
        return Check("port", "ok", f"{address} is free" if settings.port else "any free port will be used")
    if report.dragoman_version:
        return Check("port", "ok", f"the server is running on port {settings.port} (version {report.dragoman_version})")
    held = f"{report.error.message.rstrip('.')}: {report.holder}" if report.holder else report.error.message
    return Check("port", "fail", held, report.error.hint)


async def check_extra_port(host: str, port: int) -> Check:
    """Check that an extra port is free, or that Dragoman listens on it. The server works without it."""
    report = await inspect_port(host, port)
    if report.error is None or report.dragoman_version:
        return Check(f"extra port {port}", "ok", f"{port} is free" if report.error is None else f"listening on {port}")
    hint = "Programs that come to this port reach that program. Quit it and restart the server, or change extra_ports."
    held = f"{report.error.message.rstrip('.')}: {report.holder}" if report.holder else report.error.message
    return Check(f"extra port {port}", "warn", held, hint)


def check_database(settings: Settings) -> Check:
    """Check that this version can read the database and write it."""
    from server.config.paths import DATABASE_FILE
    from server.store.inspection import refuse_foreign_database
    from server.store.migrate import shipped_migrations, user_version

    path = settings.data_dir / DATABASE_FILE
    if not _can_write(path):
        hint = "Check its permissions, or choose another --data-dir."
        return Check("database", "fail", f"{path} cannot be written", hint)
    if not os.path.exists(path):
        return Check("database", "ok", f"will be created as {path}")
    try:
        refuse_foreign_database(path, newest=len(shipped_migrations()))
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            version = user_version(connection)
    except DragomanError as error:
        return Check("database", "fail", error.message, error.hint)
    except (sqlite3.Error, OSError) as error:
        hint = "The server will set it aside and start a new one."
        return Check("database", "fail", f"{path} cannot be read: {error}", hint)
    return Check("database", "ok", f"{path}, version {version}, {path.stat().st_size / 1e6:.1f} MB")


def _can_write(path: Path) -> bool:
    """Whether the file is writable, or the nearest existing directory above it."""
    existing = next(parent for parent in (path, *path.parents) if os.path.exists(parent))
    return os.access(existing, os.W_OK) and (existing == path or existing.is_dir())
