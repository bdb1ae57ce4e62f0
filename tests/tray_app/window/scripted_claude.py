"""Stand-ins for Claude Code and the browser in the window's tests."""

import stat
import sys
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Slot
from PySide6.QtGui import QDesktopServices

PAGE = "https://claude.invalid/oauth?code=true"
CODE = "right#code"

LOGIN = f"""
if sys.argv[1:3] == ["auth", "login"]:
    print("If the browser didn't open, visit:\\n{PAGE}", flush=True)
    for line in sys.stdin:
        if line == "{CODE}\\n":
            open(signed_in, "w").close()
            sys.exit(0)
        print("That doesn't look like the full code.", file=sys.stderr, flush=True)
    sys.exit(1)
"""
NO_LOGIN = """
if sys.argv[1:3] == ["auth", "login"]:
    sys.exit("Couldn't log in: there is no way to the server")
"""
ASKED = """
for line in sys.stdin:
    request = json.loads(line)["request_id"]
    account = {"email": "me@example.com", "subscriptionType": "max", "tokenSource": "claude.ai"}
    answer = {"claude_code_version": "9.9.9", "models": [], "account": account if os.path.exists(signed_in) else {}}
    response = {"subtype": "success", "request_id": request, "response": answer}
    print(json.dumps({"type": "control_response", "response": response}), flush=True)
"""
"""Answers every question for the account."""


def write_claude(directory: Path, *parts: str) -> Path:
    """Write a program of these parts. It is signed in once a file `signed_in` exists beside it."""
    path = directory / "claude"
    text = "".join(parts)
    path.write_text(f"#!{sys.executable}\nimport json, os, sys\nsigned_in = {str(directory / 'signed_in')!r}\n{text}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


class Browser(QObject):
    """Records the https addresses that the application opens, until `close`."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []
        QDesktopServices.setUrlHandler("https", self, "take")

    @Slot(QUrl)
    def take(self, url: QUrl) -> None:
        self.opened.append(url.toString())

    def close(self) -> None:
        """Let the system open them again."""
        QDesktopServices.unsetUrlHandler("https")
