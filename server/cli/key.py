"""`dragoman key`: prints the server's API key on standard output, and its storage on standard error.

Its subcommands for the keys of clients are in `client_keys`.
"""

import argparse
import asyncio
import logging

from server.cli import anthropic_key, client_keys
from server.config.arguments import settings_overrides
from server.config.settings import Settings, load_settings
from server.core.console import write_line
from server.core.errors import SetupError
from server.secrets import KeyStore, open_key_store


def run(namespace: argparse.Namespace) -> int:
    """Print the key, replaced with `--rotate`, or store or remove the Anthropic API key. Raises SetupError."""
    # The log would repeat what is printed here.
    logging.basicConfig(level=logging.ERROR)
    settings = load_settings(settings_overrides(namespace))
    if namespace.key_command is not None:
        asyncio.run(client_keys.run_command(settings, namespace))
        return 0
    if namespace.anthropic or namespace.forget_anthropic:
        asyncio.run(anthropic_key.store_key(settings) if namespace.anthropic else anthropic_key.remove_key(settings))
        return 0
    _print_key(settings, rotate=namespace.rotate)
    return 0


def _print_key(settings: Settings, *, rotate: bool) -> None:
    key, key_store = asyncio.run(_get_key(settings, rotate=rotate))
    if not write_line(key):
        raise SetupError(
            "The key could not be printed.", hint="Run the command in a terminal, or check where its output goes."
        )
    write_line(f"The API key is kept {key_store.description}.", "stderr")
    if rotate:
        write_line("A running server accepts the old key until you restart it.", "stderr")
    if not settings.api_key_required:
        write_line("No API key is required, by the settings.", "stderr")


async def _get_key(settings: Settings, *, rotate: bool) -> tuple[str, KeyStore]:
    key_store = await open_key_store(settings)
    key = await (key_store.rotate_key() if rotate else key_store.get_or_create())
    if key_store.kind == "memory":
        raise SetupError(
            f"There is no key to print: it is kept {key_store.description}.",
            hint="A running server printed its key at startup.",
        )
    return key, key_store
