"""`dragoman key`: the server's API key on standard output, and where it is on standard error."""

import argparse
import asyncio
import logging

from server.cli import anthropic_key
from server.cli.options import overrides
from server.config.settings import Settings, load_settings
from server.core.console import write_line
from server.core.errors import SetupError
from server.secrets import KeyStore, open_key_store


def run(namespace: argparse.Namespace) -> int:
    """Print the key, made anew with `--rotate`; or store or forget the Anthropic API's. Raises SetupError."""
    # What is said below says it better than the log.
    logging.basicConfig(level=logging.ERROR)
    settings = load_settings(overrides(namespace))
    if namespace.anthropic or namespace.forget_anthropic:
        asyncio.run(anthropic_key.store(settings) if namespace.anthropic else anthropic_key.forget(settings))
        return 0
    _print_key(settings, rotate=namespace.rotate)
    return 0


def _print_key(settings: Settings, *, rotate: bool) -> None:
    key, key_store = asyncio.run(_key(settings, rotate=rotate))
    if not write_line(key):
        raise SetupError(
            "The key could not be printed.", hint="Run the command in a terminal, or check where its output goes."
        )
    write_line(f"The API key is kept {key_store.description}.", "stderr")
    if rotate:
        write_line("A running server accepts the old key until you restart it.", "stderr")
    if not settings.api_key_required:
        write_line("No API key is required, by the settings.", "stderr")


async def _key(settings: Settings, *, rotate: bool) -> tuple[str, KeyStore]:
    key_store = await open_key_store(settings)
    key = await (key_store.rotate() if rotate else key_store.get_or_create())
    if key_store.kind == "memory":
        raise SetupError(
            f"There is no key to print: it is kept {key_store.description}.",
            hint="A running server printed its key at startup.",
        )
    return key, key_store
