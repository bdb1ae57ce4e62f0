"""What only the server's own key may do: read and change its records."""

from fastapi import Depends, Request

from server.api.exchange.responses import display_path, key_of
from server.core.errors import KeyNotAllowed


async def refuse_client_keys(request: Request) -> None:
    """Raise KeyNotAllowed for a client key: requests and sessions of all clients are private to the owner."""
    if (key := key_of(request.scope)) is not None:
        raise KeyNotAllowed(
            f"The client key '{key.name}' may not use {display_path(request.scope)}.",
            hint="Use the server's own API key for it.",
        )


MAIN_KEY_ONLY = [Depends(refuse_client_keys)]
"""The dependencies of a router whose endpoints administer the server."""
