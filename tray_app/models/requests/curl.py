"""A logged request as a curl command that can be run in a POSIX shell, with the key left to the environment."""

import re
import shlex

from server.core.records import RequestRecord
from server.dialects.dialect import ClientSide
from server.dialects.registry import dialect_of_endpoint

KEY_VARIABLE = "DRAGOMAN_KEY"
"""The environment variable that stands for the key: the key itself belongs neither on a clipboard nor in a history."""

BODY_FILE = "body.json"
"""What is sent where the body was not recorded: another text would be another request."""
NOT_RECORDED = f"""\
# The body of this request was not recorded: put it into {BODY_FILE}.
# To have bodies recorded, turn on "Keep request bodies" in Settings (log_bodies = true in settings.toml).
"""

# What curl or the connection sets by itself, and what would be untrue for another body.
_OWN = frozenset(
    {
        "host", "content-length", "content-type", "transfer-encoding", "connection", "accept-encoding", "user-agent",
        "expect", "authorization", "x-api-key", "cookie", "origin", "referer", "traceparent", "tracestate",
    }
)  # fmt: skip
_NOT_HIS_OWN = re.compile(r"\[redacted\]|\[\d+ characters\]")


def as_curl(record: RequestRecord, server_url: str, *, key_required: bool = True) -> str:
    """The command. `record` with its headers and body, if they were logged; else it sends a file, and says so.

    `server_url` has no path, as `http://127.0.0.1:8000`.
    """
    speaks = dialect_of_endpoint(record.endpoint).client
    parts = [f"curl -sS{'N' if record.stream else ''} {shlex.quote(server_url + record.endpoint)}"]
    if key_required:
        name, before_key = speaks.key_header
        parts.append(f'-H "{name}: {before_key}${KEY_VARIABLE}"')
    parts += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in _headers(record, speaks)]
    # A leading @ names a file to curl; JSON never begins with one.
    body = record.request_body
    parts.append(f"--data-binary {shlex.quote(body or f'@{BODY_FILE}')}")
    return ("" if body else NOT_RECORDED) + " \\\n  ".join(parts)


def _headers(record: RequestRecord, speaks: ClientSide) -> list[tuple[str, str]]:
    """The headers that the client chose itself, and those that its dialect demands."""
    chosen = [
        (name, value)
        for name, value in record.request_headers or ()
        if name.lower() not in _OWN and not _NOT_HIS_OWN.search(value) and not name.lower().startswith("x-stainless-")
    ]
    names = {name.lower() for name, _ in chosen}
    demanded = [(name, value) for name, value in speaks.headers.items() if name not in names]
    return [("content-type", "application/json"), *demanded, *chosen]
