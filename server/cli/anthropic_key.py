"""`dragoman key --anthropic` and `--forget-anthropic`: the user's own key for the Anthropic API."""

import getpass
import sys

from server.config.settings import Settings
from server.core.console import write_line
from server.core.errors import SetupError
from server.secrets import KeyStore, open_key_store
from server.secrets.anthropic_key import ANTHROPIC_API_KEY, checked_anthropic_key
from server.secrets.key_store import KEY_VARIABLE

_RESTART = "Restart a running server to apply this."


async def store_key(settings: Settings) -> None:
    """Read the key from a prompt without echo, or from standard input, and store it.

    Never from the arguments, which other users of the machine can see. Raises SetupError if it is not a key or cannot
    be stored.
    """
    key_store = await open_key_store(settings)
    _check_storage(key_store)
    await key_store.set(ANTHROPIC_API_KEY, checked_anthropic_key(_read_key()))
    write_line(f"The Anthropic API key is kept {key_store.description}. {_RESTART}", "stderr")
    if not settings.anthropic_fallback:
        write_line("It is not used: the setting anthropic_fallback is off.", "stderr")


async def remove_key(settings: Settings) -> None:
    """Remove the key. Raises SetupError if the storage cannot be read or written."""
    key_store = await open_key_store(settings)
    if await key_store.get(ANTHROPIC_API_KEY) is None:
        write_line("No Anthropic API key is stored.", "stderr")
        return
    await key_store.set(ANTHROPIC_API_KEY, None)
    write_line(f"The Anthropic API key was removed. {_RESTART}", "stderr")


def _check_storage(key_store: KeyStore) -> None:
    if key_store.kind == "environment":
        raise SetupError(
            "Secrets cannot be stored while the environment sets the server's API key.",
            hint=f"Unset {KEY_VARIABLE} for this command; a server that has it still reads what is stored.",
        )
    if key_store.kind == "memory":
        raise SetupError(
            "The Anthropic API key was not stored: there is no permanent place to keep it.",
            hint='Unlock or install a system keyring, or set key_storage = "file".',
        )


def _read_key() -> str:
    if sys.stdin is None:  # a program without a console, on Windows
        return ""
    if not sys.stdin.isatty():
        return sys.stdin.readline()
    try:
        return getpass.getpass("Anthropic API key (input is hidden): ")
    except EOFError:
        return ""
