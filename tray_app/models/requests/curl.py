"""A logged request as a curl command for a POSIX shell; an environment variable holds the key."""

import re
import shlex

from server.core.records import RequestRecord
from server.dialects.dialect import ClientSide
from server.dialects.registry import dialect_of_endpoint

KEY_VARIABLE = "DRAGOMAN_KEY"
"""The environment variable for the key: the key itself belongs neither on the clipboard nor in a shell history."""

BODY_FILE = "body.json"
"""The file that the command sends if the body was not recorded."""
NOT_RECORDED = f"""\
# The body of this request was not recorded: put it into {BODY_FILE}.
# To have bodies recorded, turn on "Keep request bodies" in Settings (log_bodies = true in settings.toml).
"""

# Set by curl or the connection, or wrong for another body.
_GENERATED = frozenset(
    {
        "host", "content-length", "content-type", "transfer-encoding", "connection", "accept-encoding", "user-agent",
        "expect", "authorization", "x-api-key", "cookie", "origin", "referer", "traceparent", "tracestate",
    }
)  # fmt: skip
_REDACTED = re.compile(r"\[redacted\]|\[\d+ characters\]")


def as_curl(record: RequestRecord, server_url: str, *, key_required: bool = True) -> str:
    """The curl command for `record`. Without a logged body it sends `BODY_FILE`, and a comment explains that.

    `server_url` has no path, as in `http://127.0.0.1:8000`.
    """
    client_side = dialect_of_endpoint(record.endpoint).client
    parts = [f"curl -sS{'N' if record.stream else ''} {shlex.quote(server_url + record.endpoint)}"]
    if key_required:
        name, before_key = client_side.key_header
        parts.append(f'-H "{name}: {before_key}${KEY_VARIABLE}"')
    parts += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in _select_headers(record, client_side)]
    # curl reads a leading @ as a file name; JSON never begins with one.
    body = record.request_body
    parts.append(f"--data-binary {shlex.quote(body or f'@{BODY_FILE}')}")
    return ("" if body else NOT_RECORDED) + " \\\n  ".join(parts)


def _select_headers(record: RequestRecord, client_side: ClientSide) -> list[tuple[str, str]]:
    """The headers chosen by the client, and those required by its dialect."""
    chosen = [
        (name, value)
        for name, value in record.request_headers or ()
        if not (name.lower() in _GENERATED or _REDACTED.search(value) or name.lower().startswith("x-stainless-"))
    ]
    names = {name.lower() for name, _ in chosen}
    required = [(name, value) for name, value in client_side.headers.items() if name not in names]
    return [("content-type", "application/json"), *required, *chosen]
