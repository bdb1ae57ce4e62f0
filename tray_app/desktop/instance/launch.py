"""A launch's request to the running instance, and the reply: a JSON line each."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

VERSION = 1
MAX_LINE_BYTES = 4096
"""Upper bound of a line, newline included."""
_PAGE = re.compile(r"[a-z_]{1,32}")
_TOKEN = re.compile(r"[\x20-\x7e]{0,1024}")


@dataclass(frozen=True, slots=True)
class Launch:
    """A launch's request: `show` the window, a `page` of it, or `none` (--hidden).

    `token` is the desktop's permission to raise a window, issued to the program that the user clicked in.
    """

    command: Literal["show", "page", "none"] = "show"
    page: str = ""
    token: str = ""


def make_launch(*, hidden: bool, page: str | None, token: str) -> Launch:
    """The command line as a request; `--page` takes precedence over `--hidden`."""
    if page is not None:
        return Launch("page", page, token)
    return Launch("none" if hidden else "show", token=token)


def activation_token(environment: Mapping[str, str] = os.environ) -> str:
    """The desktop's activation token for this process.

    Call this before QApplication is created, which removes the variable.
    https://specifications.freedesktop.org/startup-notification-spec, xdg-activation-v1 of Wayland.
    """
    token = environment.get("XDG_ACTIVATION_TOKEN") or environment.get("DESKTOP_STARTUP_ID", "")
    return token if _TOKEN.fullmatch(token) else ""


def set_activation_token(token: str) -> None:
    """Have Qt use `token` for the next window (QWaylandXdgSurface::requestActivate)."""
    if token:
        os.environ["XDG_ACTIVATION_TOKEN"] = token


def encode_line(**fields: str) -> bytes:
    """Encode a request (the fields of a Launch) or a reply (`answer`)."""
    return json.dumps({"v": VERSION, **fields}).encode() + b"\n"


def decode_line(line: bytes) -> dict[str, Any]:
    """The fields of a line, which any program can send; empty if it is invalid."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def decode_launch(line: bytes) -> Launch | Literal["unsupported", "invalid"]:
    """The request in a line, or the answer to an invalid or a later version's one."""
    fields = {"page": "", "token": ""} | decode_line(line)
    version, command, page, token = (fields.get(key) for key in ("v", "command", "page", "token"))
    if type(version) is int and version > VERSION:
        return "unsupported"
    if type(version) is not int or version < 1 or not isinstance(page, str) or not isinstance(token, str):
        return "invalid"
    # Without a valid token the window is shown all the same.
    token = token if _TOKEN.fullmatch(token) else ""
    if command == "page" and _PAGE.fullmatch(page):
        return Launch("page", page, token)
    return Launch(command, token=token) if command in ("show", "none") else "invalid"
