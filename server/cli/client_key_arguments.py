"""The arguments of `dragoman key add`, `list` and `revoke`. Nothing heavy is imported for `--help`."""

import argparse
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

_SPAN = re.compile(r"(\d{1,5})([hdw])")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def add_client_key_commands(
    key: argparse.ArgumentParser, add_folders: Callable[[argparse.ArgumentParser], None]
) -> None:
    """Add the subcommands of `key`; `add_folders` adds the options for the folders to each."""
    commands = key.add_subparsers(dest="key_command", metavar="COMMAND", title="named keys for clients")
    add = commands.add_parser("add", help="make a key for a client, and print it once", allow_abbrev=False)
    add.add_argument("name", metavar="NAME", help="such as zed")
    _add_rules(add)
    listing = commands.add_parser("list", help="list the keys of clients with their use", allow_abbrev=False)
    revoke = commands.add_parser("revoke", help="refuse a client's key from now on", allow_abbrev=False)
    revoke.add_argument("name", metavar="NAME", help="as `key list` shows it")
    for command in (add, listing, revoke):
        command.description = f"{(command.prog.rsplit(' ', 1)[-1]).capitalize()} named keys of clients."
        add_folders(command)
        # A value given before the subcommand must not be replaced by a default.
        for action in command._actions:
            if action.dest in ("data_dir", "config_dir"):
                action.default = argparse.SUPPRESS


def _add_rules(add: argparse.ArgumentParser) -> None:
    add.add_argument("--model", help="model of requests that name none")
    add.add_argument("--effort", metavar="LEVEL", help="effort of requests that ask for none: low to max")
    add.add_argument("--models", metavar="A,B", type=_read_list, help="the only models that it may use")
    system = add.add_mutually_exclusive_group()
    system.add_argument("--system", metavar="TEXT", help="a system text before the client's own")
    system.add_argument("--append-system", metavar="TEXT", help="a system text after the client's own")
    add.add_argument("--per-minute", metavar="N", type=int, dest="requests_a_minute", help="requests a minute")
    add.add_argument("--tokens-a-day", metavar="N", type=int, help="tokens a day, cached ones included")
    add.add_argument("--usd-a-day", metavar="USD", type=float, help="cost a day at list prices")
    add.add_argument("--concurrent", metavar="N", type=int, help="requests at the same time")
    add.add_argument(
        "--expires", metavar="WHEN", type=_read_expiry, dest="expires_at", help="a date (2027-01-31) or span (12h, 30d)"
    )


def given_rules(namespace: argparse.Namespace) -> dict[str, Any]:
    """The rules that the arguments of `key add` set."""
    names = ("model", "effort", "models", "requests_a_minute", "tokens_a_day", "usd_a_day", "concurrent", "expires_at")
    rules = {name: value for name in names if (value := getattr(namespace, name)) is not None}
    if namespace.system is not None:
        rules |= {"system": namespace.system, "system_position": "prepend"}
    if namespace.append_system is not None:
        rules |= {"system": namespace.append_system, "system_position": "append"}
    return rules


def _read_list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _read_expiry(text: str) -> float:
    """The moment in epoch seconds; a date lasts until its end. Raises ArgumentTypeError."""
    now = datetime.now()
    if (span := _SPAN.fullmatch(text.strip().lower())) is not None and int(span[1]):
        return (now + timedelta(**{_UNITS[span[2]]: int(span[1])})).timestamp()
    try:
        end = datetime.strptime(text.strip(), "%Y-%m-%d") + timedelta(days=1)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither a date such as 2027-01-31 nor a span such as 30d"
        ) from None
    if end <= now:
        raise argparse.ArgumentTypeError(f"{text} has passed")
    return end.timestamp()
