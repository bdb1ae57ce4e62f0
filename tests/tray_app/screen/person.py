"""What a person does with the whole application: started from its command, worked by keyboard, mouse and clients."""

import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from server.config.own_commands import COMMAND
from server.logs import log_file
from tests.environment import simulated_account
from tests.tray_app.screen.desktop import PATIENT_KEYRING, Desktop, until

ROOT = Path(__file__).parents[3]
TITLE = "^Dragoman$"
ASK_AGAIN_SECONDS = 10.0

READ_KEY = f"""{PATIENT_KEYRING}
print(keyring.get_password("dragoman", "api_key"))
"""
READ_CLIPBOARD = """
from PySide6.QtGui import QGuiApplication
app = QGuiApplication([])
print(app.clipboard().text(), end="")
"""


class Person:
    """Sits at a desktop, and has the application and a client of OpenAI's.

    `variables` are for the application alone; None takes one out.
    """

    def __init__(self, desktop: Desktop, api_url: str, claude: Path, **variables: str | None) -> None:
        self.desktop = desktop
        self._command = [str(Path(sys.executable).with_name(COMMAND)), "--claude-path", str(claude)]
        given = simulated_account(api_url) | {"PYTHONPATH": str(ROOT)} | variables
        self._variables = {name: value for name, value in given.items() if value is not None}

    def start(self, *options: str) -> "subprocess.Popen[bytes]":
        """Start the application."""
        return self.desktop.start([*self._command, *options], name="application", **self._variables)

    @property
    def said(self) -> str:
        """What the application has said so far."""
        return self.desktop.log("application").read_text(errors="replace")

    @property
    def log(self) -> str:
        """What stands in the application's log file."""
        file = log_file(self.desktop.home / ".local" / "share" / COMMAND)
        return file.read_text() if file.exists() else ""

    def url(self, number: int = 1) -> str:
        """Where the server listens, when it has said so for the `number`th time."""
        urls = until(
            lambda: found if len(found := re.findall("^listening on (.+)$", self.said, re.M)) >= number else None
        )
        return str(urls[number - 1])

    def key(self) -> str:
        """The API key, as the keyring has it."""
        return self.desktop.run(sys.executable, "-c", READ_KEY).strip()

    def clipboard(self) -> str:
        """The text that was copied."""
        return self.desktop.run(sys.executable, "-c", READ_CLIPBOARD)

    def ask(self, url: str, text: str, *, key: str = "", model: str = "gpt-5") -> str:
        """A chat with the server."""
        with openai.OpenAI(base_url=f"{url}/v1", api_key=key or self.key(), max_retries=0) as client:
            answer = client.chat.completions.create(model=model, messages=[{"role": "user", "content": text}])
        return answer.choices[0].message.content or ""

    def refusal(self, url: str, text: str, *, model: str = "gpt-5") -> int:
        """The status that the server refuses a chat with."""
        with pytest.raises(openai.APIStatusError) as caught:
            self.ask(url, text, model=model)
        return caught.value.status_code

    def get(self, url: str, path: str, key: str | None = None) -> Any:
        """What the server's own API says."""
        answer = httpx2.get(f"{url}{path}", headers={"x-api-key": key or self.key()}, timeout=120)
        return answer.raise_for_status().json()

    def status(self, url: str, key: str) -> int | None:
        """The status that a client with that key gets; None if nobody listens."""
        try:
            return httpx2.get(f"{url}/v1/models", headers={"x-api-key": key}, timeout=120).status_code
        except httpx2.TransportError:
            return None

    def window(self) -> int:
        """The application's window, once it can be seen, with the keyboard on it."""

        def activate() -> int | None:
            # A dialog that is about to go may have the same title.
            if len(windows := self.desktop.windows(TITLE)) != 1:
                return None
            (window,) = windows
            if self.desktop.active_window() == window:
                return window
            self.desktop.xdotool("windowactivate", str(window), check=False)
            return None

        return until(activate)

    def window_is_gone(self) -> None:
        """Wait until the window is hidden."""
        until(lambda: not self.desktop.windows(TITLE))

    def copied_row(self, word: str) -> str:
        """The row of the log with that word in it: select the last one and copy, until it is there."""

        def copy() -> str | None:
            self.desktop.keys("ctrl+f", "Tab", "End", "ctrl+c")
            return text if word in (text := self.clipboard()) else None

        return until(copy)

    def delete_first_row(self, question: str) -> None:
        """Go from the filter to the list, ask for the deletion of its first row, and answer the question with yes."""

        def ask() -> list[int]:
            # The search may still be on its way, or the question: keys that come with it would be taken for its answer.
            self.desktop.keys("ctrl+f", "Tab", "Tab", "Home", "Delete")
            with suppress(TimeoutError):
                return until(lambda: self.desktop.windows(question), ASK_AGAIN_SECONDS)
            return []

        until(ask)
        self.answer_with_yes(question)

    def enter_in_first_field(self, text: str) -> None:
        """Go from the filter of the settings to the first field that it has left, and enter a value."""
        self.desktop.keys("Tab", "Tab", "ctrl+a")
        self.desktop.type(text)
        self.desktop.keys("Return")

    def make_new_key(self) -> None:
        """Have the key replaced, in the settings."""
        self.desktop.keys("ctrl+f", "ctrl+a")
        self.desktop.type("your clients send")
        # The list of sections, "Show", "Copy", "Replace key...".
        self.desktop.keys("Tab", "Tab", "Tab", "Tab", "space")
        self.answer_with_yes("^Replace the API key")

    def answer_with_yes(self, question: str) -> None:
        """Answer the dialog of that title; the answer that changes nothing has the focus at first."""
        self.desktop.activated(question)
        self.desktop.keys("Tab", "space")
        until(lambda: not self.desktop.windows(question))
