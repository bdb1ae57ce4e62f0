"""What a second start says to the one that runs, and the answer: one line of JSON each, and a version."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

VERSION = 1
MAX_LINE_BYTES = 4096
"""No message is longer, the end of the line included."""

Command = Literal["show", "page", "none"]
Answer = Literal["ok", "unsupported", "invalid"]

_PAGE = re.compile(r"[a-z_]{1,32}")
_TOKEN = re.compile(r"[\x20-\x7e]{0,1024}")


@dataclass(frozen=True, slots=True)
class Launch:
    """What a start of the application is meant to do: `show` the window, show a `page` of it, or `none` (--hidden).

    `token` is the desktop's permission to come to the front, from the program that the person clicked in.
    """

    command: Command = "show"
    page: str = ""
    token: str = ""


def launch_of(*, hidden: bool, page: str | None, token: str) -> Launch:
    """What the command line asks for. A page is asked for by somebody who wants to see it."""
    if page is not None:
        return Launch("page", page, token)
    return Launch("none" if hidden else "show", token=token)


def activation_token(environment: Mapping[str, str] = os.environ) -> str:
    """The token that the desktop gave this process. To be read before QApplication is made, which removes it.

    https://specifications.freedesktop.org/startup-notification-spec, xdg-activation-v1 of Wayland.
    """
    token = environment.get("XDG_ACTIVATION_TOKEN") or environment.get("DESKTOP_STARTUP_ID", "")
    return token if _TOKEN.fullmatch(token) else ""


def use_token(token: str) -> None:
    """Have the next window that is activated come to the front with `token`, where the desktop asks for one.

    Qt takes it out of the environment when it activates a window on Wayland (QWaylandXdgSurface::requestActivate).
    """
    if token:
        os.environ["XDG_ACTIVATION_TOKEN"] = token


def encode(launch: Launch) -> bytes:
    """The message as it is sent."""
    return _line({"v": VERSION, "command": launch.command, "page": launch.page, "token": launch.token})


def decode(line: bytes) -> Launch | Answer:
    """The message, or the answer to what cannot be understood. Never raises: anyone may send anything."""
    fields = _fields(line)
    version = fields.get("v")
    if type(version) is not int or version < 1:
        return "invalid"
    if version > VERSION:
        return "unsupported"
    return _launch(fields.get("command"), fields.get("page", ""), fields.get("token", "")) or "invalid"


def encode_answer(answer: Answer) -> bytes:
    """The answer as it is sent."""
    return _line({"v": VERSION, "answer": answer})


def decode_answer(line: bytes) -> str:
    """The answer's word, which may be one of a later version; empty if it cannot be read."""
    answer = _fields(line).get("answer")
    return answer if isinstance(answer, str) else ""


def _launch(command: Any, page: Any, token: Any) -> Launch | None:
    if command not in ("show", "page", "none") or not isinstance(page, str) or not isinstance(token, str):
        return None
    if not _TOKEN.fullmatch(token):
        token = ""
    if command != "page":
        return Launch(command, token=token)
    return Launch(command, page, token) if _PAGE.fullmatch(page) else None


def _fields(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _line(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields).encode() + b"\n"
