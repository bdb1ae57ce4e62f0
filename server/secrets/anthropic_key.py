"""The user's own key for the Anthropic API."""

from server.core.errors import SetupError

ANTHROPIC_API_KEY = "anthropic_api_key"
"""Its name among the secrets."""

PREFIX = "sk-ant-"


def checked_anthropic_key(text: str) -> str:
    """Strip and validate a key. Raises SetupError, which does not quote the text."""
    key = text.strip()
    if not key:
        raise SetupError("No Anthropic API key was entered.", hint=f"It begins with {PREFIX}.")
    if not key.startswith(PREFIX) or not key.isascii() or not key.isprintable() or " " in key:
        raise SetupError(
            "This is not an Anthropic API key.",
            hint=f"A key begins with {PREFIX} and has no spaces or line breaks.",
        )
    return key
