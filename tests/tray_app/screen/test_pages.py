"""What a person does on the pages, by the names of what is there: sessions, aliases, bodies, export, and an error."""

import json
from contextlib import suppress
from pathlib import Path

import pytest

from tests.simulator import Simulator
from tests.simulator.replies import Text
from tests.tray_app.screen.accessibility import ScreenReader
from tests.tray_app.screen.desktop import Desktop, until
from tests.tray_app.screen.person import ROOT, TITLE, Person

# Python reads this when it starts: an error in a slot of the requests page, at F5. And on a busy machine a person may
# need longer than a bar waits that offers to undo.
CHANGED = """
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder


def fail(page):
    raise RuntimeError("the made error of this test")


def fail_at_f5(module):
    module.RequestsPage.refresh = fail


def wait_to_be_undone(module):
    module.UndoBar.offer.__defaults__ = (3600,)


CHANGES = {"tray_app.pages.requests.page": fail_at_f5, "tray_app.widgets.undo_bar": wait_to_be_undone}


class Changing(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name not in CHANGES:
            return None
        spec = PathFinder.find_spec(name, path, target)
        load = spec.loader.exec_module

        def load_and_change(module):
            load(module)
            CHANGES[name](module)

        spec.loader.exec_module = load_and_change
        return spec


sys.meta_path.insert(0, Changing())
"""
# So long it is waited for what comes of keys or clicks, before it is tried again.
SECONDS = 5.0


@pytest.fixture
def changed(desktop: Desktop) -> Path:
    """A directory that changes the application that has it in its PYTHONPATH."""
    directory = desktop.root / "changed"
    directory.mkdir()
    (directory / "sitecustomize.py").write_text(CHANGED)
    return directory


class Hands:
    """Works one application by what is seen."""

    def __init__(self, person: Person, reader: ScreenReader, simulator: Simulator) -> None:
        self.person, self.reader, self.simulator = person, reader, simulator
        self.desktop = person.desktop
        person.start("--port", "0")
        self.url = person.url()

    @property
    def settings(self) -> str:
        """What stands in the settings file, if there is one."""
        file = self.desktop.home / ".config" / "dragoman" / "settings.toml"
        return file.read_text() if file.exists() else ""

    @property
    def total(self) -> int:
        """How many sessions there are."""
        return int(self.person.get(self.url, "/api/sessions")["total"])

    def ask(self, text: str, *, model: str = "gpt-5") -> str:
        """Have it answered, and return the model that answered."""
        self.simulator.script(Text(f"The answer to {text}"))
        assert self.person.ask(self.url, text, model=model) == f"The answer to {text}"
        return str(self.simulator.messages_calls[-1].model)

    def find_setting(self, words: str, label: str) -> None:
        """Have the settings show what is found by these words, and wait for that label."""
        self.desktop.keys("ctrl+5", "ctrl+f", "ctrl+a", "Delete")
        # All of them, and then those that are found: a label moves in between.
        self.reader.wait_for("Listen on", "label")
        self.desktop.type(words)
        self.reader.wait_until_gone("Listen on", "label")
        self.reader.wait_for(label)

    def delete_all_sessions(self, count: int) -> None:
        """From the menu, and with a yes."""
        self.reader.wait_for(f"{count} sessions · .*", "label")
        before = set(self.desktop.windows(".*"))
        self.reader.press("Delete", "button menu")
        until(lambda: set(self.desktop.windows(".*")) - before)
        # "Delete selected sessions" comes first, and "Delete all 2 sessions..." last.
        self.desktop.keys("Up", "Return")
        self.reader.press(f"Delete all {count} sessions", "push button")
        self.reader.wait_for(f"{count} sessions deleted", "label")


def test_what_is_done_on_the_pages(desktop: Desktop, simulator: Simulator, cli_path: Path, changed: Path) -> None:
    person = Person(desktop, simulator.url, cli_path, PYTHONPATH=f"{changed}:{ROOT}")
    with ScreenReader(desktop) as reader:
        hands = Hands(person, reader, simulator)
        assert "opus" in hands.ask("the heron")
        hands.ask("the stork")
        person.window()
        delete_all_sessions(hands)
        use_an_alias(hands)
        log_bodies(hands)
        export(hands)
        meet_an_error(hands)


def delete_all_sessions(hands: Hands) -> None:
    """With an undo, and then for good."""
    hands.desktop.keys("ctrl+3")
    hands.delete_all_sessions(2)
    hands.reader.wait_for("0 sessions · .*", "label")
    hands.reader.press("Undo", "push button")
    hands.reader.wait_for("2 sessions · .*", "label")
    assert hands.total == 2
    hands.delete_all_sessions(2)
    # Who goes on to something else has made up their mind.
    hands.desktop.keys("ctrl+1")
    until(lambda: hands.total == 0)


def use_an_alias(hands: Hands) -> None:
    """Added, changed and removed in the settings, it is what requests go by."""
    hands.find_setting("alias table", "Add alias")
    hands.reader.press("Add alias", "push button")
    hands.desktop.type("bird")
    hands.desktop.keys("Tab")
    hands.desktop.type("haiku")
    hands.desktop.keys("Return")
    until(lambda: 'bird = "haiku"' in hands.settings)
    assert "haiku" in hands.ask("the kite", model="bird")
    change_cell(hands, "haiku", "opus")
    assert "opus" in hands.ask("the kite", model="bird")
    hands.reader.press("bird", "cell")
    hands.reader.press("Remove", "push button")
    until(lambda: "bird" not in hands.settings)
    assert hands.person.refusal(hands.url, "the kite", model="bird") == 404


def change_cell(hands: Hands, before: str, after: str) -> None:
    """With a double click, which are two clicks where the machine stands still in between."""

    def changed() -> bool:
        hands.reader.press(f".*({before}|{after}).*", "cell", clicks=2)
        hands.desktop.keys("ctrl+a")
        hands.desktop.type(after)
        hands.desktop.keys("Return")
        with suppress(TimeoutError):
            return until(lambda: f'bird = "{after}"' in hands.settings, SECONDS)
        return False

    until(changed)


def log_bodies(hands: Hands) -> None:
    """A request's body is in its details once bodies are logged, and not before."""
    hands.find_setting("log request bodies", "Log request bodies")
    hands.reader.press("Log request bodies", "check box")
    until(lambda: "log_bodies = true" in hands.settings)
    hands.ask("the kingfisher")
    hands.desktop.keys("ctrl+2")
    hands.reader.wait_for("Error 404", "cell")

    def last_one() -> bool:
        # It may come into the list only now.
        hands.desktop.keys("ctrl+f", "Tab", "End")
        with suppress(TimeoutError):
            return bool(until(lambda: hands.reader.find("Request body", "panel"), SECONDS))
        return False

    until(last_one)
    until(lambda: "the kingfisher" in "".join(map(hands.reader.text, hands.reader.find("Code: json", "text"))))


def export(hands: Hands) -> None:
    """All that match, to a file that the dialog asks for."""
    hands.desktop.keys("ctrl+e")
    hands.desktop.activated("^Export requests")
    file = hands.desktop.home / "exported.jsonl"
    hands.desktop.keys("ctrl+a")
    hands.desktop.type(str(file))
    hands.desktop.keys("Return")
    hands.reader.wait_for("Exported [0-9]+ requests to exported.jsonl", "label")
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(lines) >= 5
    assert "the kingfisher" in file.read_text()
    assert hands.person.key() not in file.read_text()


def meet_an_error(hands: Hands) -> None:
    """It is logged, shown once, can be copied, and the server goes on."""
    window = hands.person.window()
    hands.desktop.keys("F5")
    hands.reader.wait_for("Something went wrong", "label")
    hands.reader.press("Copy report", "push button")
    until(lambda: "RuntimeError: the made error of this test" in hands.person.clipboard())
    assert "the made error of this test" in hands.person.log
    hands.ask("the goose")
    hands.reader.press("Continue", "push button")
    hands.reader.wait_until_gone("Something went wrong", "label")
    hands.person.window()
    hands.desktop.keys("F5")
    until(lambda: "the same error has occurred 2 times" in hands.person.log)
    hands.ask("the swan")
    assert hands.desktop.windows(TITLE) == [window]
    assert not hands.reader.find("Something went wrong")
