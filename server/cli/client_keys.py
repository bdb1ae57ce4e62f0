"""`dragoman key add`, `list` and `revoke`: the named keys of clients. A running server picks up each change."""

import argparse
import sqlite3
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import Any

from server.cli.client_key_arguments import given_rules
from server.config.paths import DATABASE_FILE
from server.config.settings import Settings
from server.core.console import write_line
from server.core.errors import SetupError
from server.core.records import KeyUsage
from server.secrets import KeyStore, open_key_store
from server.secrets.client_keys import ClientKey
from server.store.usage import ALL_USAGE, UsageFilter, first_of_last_days, read_usage

DAYS = 30
_HEADINGS = ("NAME", "LAST USED", "TODAY", f"{DAYS} DAYS", "EXPIRES", "RULES")
Command = Callable[[Settings, argparse.Namespace], Coroutine[Any, Any, None]]


async def run_command(settings: Settings, namespace: argparse.Namespace) -> None:
    """Run the subcommand that was given. Raises SetupError."""
    commands: dict[str, Command] = {"add": _add_key, "list": _list_keys, "revoke": _revoke_key}
    await commands[namespace.key_command](settings, namespace)


async def _add_key(settings: Settings, namespace: argparse.Namespace) -> None:
    key_store = await _open_lasting(settings)
    entry, key = await key_store.clients.add_key(namespace.name, **given_rules(namespace))
    if not write_line(key):
        await key_store.clients.revoke_key(entry.id)
        hint = "Run the command in a terminal, or check where its output goes."
        raise SetupError("The key could not be printed and was revoked.", hint=hint)
    write_line(f"This is the key of '{entry.name}'. It is not shown again: only its digest is kept.", "stderr")
    if not settings.api_key_required:
        write_line("No API key is required, by the settings: the client could leave it out.", "stderr")


async def _list_keys(settings: Settings, namespace: argparse.Namespace) -> None:
    keys = await (await open_key_store(settings)).clients.list_keys()
    if not keys:
        write_line("There are no named keys. `key add NAME` makes one.", "stderr")
        return
    today, month, ever = _read_sums(settings)
    rows: list[Sequence[str]] = [_HEADINGS]
    for key in keys:
        sums = (today.get(key.id, KeyUsage()), month.get(key.id, KeyUsage()))
        last = ever.get(key.id, KeyUsage()).last_used_at
        used = _format_time(last) if last is not None else "never"
        rows.append((key.name, used, *map(_format_usage, sums), _format_expiry(key), ", ".join(describe_rules(key))))
    for line in _align(rows):
        write_line(line)


async def _revoke_key(settings: Settings, namespace: argparse.Namespace) -> None:
    clients = (await _open_lasting(settings)).clients
    keys = await clients.list_keys()
    found = next((key for key in keys if key.name.casefold() == namespace.name.strip().casefold()), None)
    if found is None:
        names = ", ".join(key.name for key in keys) or "none"
        raise SetupError(f"There is no key named '{namespace.name}'.", hint=f"The named keys are: {names}.")
    await clients.revoke_key(found.id)
    write_line(f"The key of '{found.name}' is refused from now on. Its running requests finish.", "stderr")


async def _open_lasting(settings: Settings) -> KeyStore:
    """Open the secrets. Raises SetupError if a change would end with this command."""
    key_store = await open_key_store(settings)
    if key_store.keeps_nothing:
        raise SetupError(
            "Client keys cannot be changed from here: secrets are kept in memory only.",
            hint='Use the window of the running program, unlock a system keyring, or set key_storage = "file".',
        )
    return key_store


def _read_sums(settings: Settings) -> list[dict[str, KeyUsage]]:
    """The use of all keys today, in the last 30 days, and ever."""
    now = datetime.now().date()
    month = UsageFilter(since=first_of_last_days(now, DAYS))
    try:
        return read_usage(settings.data_dir / DATABASE_FILE, UsageFilter(since=now), month, ALL_USAGE)
    except sqlite3.Error as error:
        write_line(f"The use of the keys cannot be read: {error}.", "stderr")
        return [{}, {}, {}]


def describe_rules(key: ClientKey) -> list[str]:
    """The rules of a key in words, without its expiry."""
    return [
        text
        for text, given in (
            (f"default {key.model}", key.model),
            (f"effort {key.effort}", key.effort),
            ("system text", key.system.strip()),
            (f"only {' '.join(key.models)}", key.models),
            (f"{key.requests_a_minute}/minute", key.requests_a_minute),
            (f"{key.tokens_a_day} tokens/day", key.tokens_a_day),
            (f"${key.usd_a_day or 0:g}/day", key.usd_a_day),
            (f"{key.concurrent} at a time", key.concurrent),
        )
        if given
    ]


def _format_usage(usage: KeyUsage) -> str:
    return f"{usage.requests} requests, {usage.tokens} tokens, ${usage.cost_usd:.2f}" if usage.requests else "-"


def _format_expiry(key: ClientKey) -> str:
    return "never" if key.expires_at is None else _format_time(key.expires_at)


def _format_time(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment):%Y-%m-%d %H:%M}"


def _align(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
