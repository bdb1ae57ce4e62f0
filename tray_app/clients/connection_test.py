"""Connection test: one real request to the server in a client's dialect."""

import time
from dataclasses import dataclass

import httpx2

from server.core.errors import DragomanError
from server.dialects.dialect import ClientSide, Dialect
from tray_app.clients.connection import Connection

QUESTION = "Say hello in one short sentence."
_TIMEOUT = httpx2.Timeout(600, connect=5)
"""Seconds. The answer may wait for Claude Code to start, and for other requests."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer's text, its model, and the duration in seconds."""

    text: str
    model: str
    seconds: float


class ConnectionTestFailed(DragomanError):
    """The test failed. `http_status` is None without a response."""

    def __init__(self, message: str, *, status: int | None = None, code: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.http_status = status
        self.code = code


async def send_test_request(connection: Connection, dialect: Dialect) -> Answer:
    """Send `QUESTION` and return the answer. Raises ConnectionTestFailed."""
    speaks = dialect.client
    name, before_key = speaks.key_header
    headers = {**speaks.headers, name: before_key + connection.secret, "user-agent": "dragoman (test)"}
    began = time.monotonic()
    # A proxy from the environment does not lead to this computer. The server speaks plain HTTP: loading certificates
    # would block the window for some 40 ms.
    async with httpx2.AsyncClient(timeout=_TIMEOUT, trust_env=False, verify=False, headers=headers) as http:
        try:
            response = await http.post(connection.url + dialect.path, json=speaks.make_body(connection.model, QUESTION))
        except httpx2.TimeoutException as error:
            raise ConnectionTestFailed(
                "The server did not respond in time.", hint="Try again, or restart it."
            ) from error
        except httpx2.HTTPError as error:
            hint = "Start the server and check the address in Settings."
            raise ConnectionTestFailed(f"The server cannot be reached at {connection.url}.", hint=hint) from error
    return _read_answer(response, speaks, time.monotonic() - began)


def _read_answer(response: httpx2.Response, speaks: ClientSide, seconds: float) -> Answer:
    try:
        body = response.json()
        if response.is_success:
            return Answer(speaks.read_text(body), str(body["model"]), seconds)
        message, code = speaks.read_error(body)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        hint = "Check which program uses this port."
        message = "The response is not from this server, or cannot be read."
        raise ConnectionTestFailed(message, status=response.status_code, hint=hint) from error
    raise ConnectionTestFailed(message, status=response.status_code, code=code)
