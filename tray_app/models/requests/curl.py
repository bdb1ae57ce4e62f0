"""A logged request as a curl command that can be run in a POSIX shell, with the key left to the environment."""

import re
import shlex

from server.core.records import RequestRecord

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
    parts = [f"curl -sS{'N' if record.stream else ''} {shlex.quote(server_url + record.endpoint)}"]
    if key_required:
        parts.append(f'-H "{_key_header(record.endpoint)}"')
    parts += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in _headers(record)]
    # A leading @ names a file to curl; JSON never begins with one.
    body = record.request_body
    parts.append(f"--data-binary {shlex.quote(body or f'@{BODY_FILE}')}")
    return ("" if body else NOT_RECORDED) + " \\\n  ".join(parts)


def _key_header(endpoint: str) -> str:
    if _is_anthropic(endpoint):
        return f"x-api-key: ${KEY_VARIABLE}"
    return f"Authorization: Bearer ${KEY_VARIABLE}"


def _headers(record: RequestRecord) -> list[tuple[str, str]]:
    """The headers that the client chose itself."""
    chosen = [
        (name, value)
        for name, value in record.request_headers or ()
        if name.lower() not in _OWN and not _NOT_HIS_OWN.search(value) and not name.lower().startswith("x-stainless-")
    ]
    names = {name.lower() for name, _ in chosen}
    if _is_anthropic(record.endpoint) and "anthropic-version" not in names:
        chosen.insert(0, ("anthropic-version", "2023-06-01"))
    return [("content-type", "application/json"), *chosen]


def _is_anthropic(endpoint: str) -> bool:
    return "/messages" in endpoint
