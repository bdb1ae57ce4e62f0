"""The LaunchAgent: its file, and launchd's record."""

import plistlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from server.core.errors import SetupError
from tests.systems import INERT
from tray_app.desktop.autostart.macos import LaunchAgent


class Launchd:
    """The part of launchctl that records whether the user turned an agent off."""

    def __init__(self, words: tuple[str, str] = ("enabled", "disabled")) -> None:
        self.switched_off: dict[str, bool] = {"com.example.other": True}
        self.words = words
        self.broken = False
        self.asked: list[str] = []

    def __call__(self, command: Sequence[str]) -> str:
        if self.broken:
            raise FileNotFoundError(command[0])
        program, verb, target = command
        assert program == "/bin/launchctl"
        self.asked.append(verb)
        if verb == "enable":
            self.switched_off[target.removeprefix("gui/501/")] = False
            return ""
        assert (verb, target) == ("print-disabled", "gui/501")
        lines = [f'\t\t"{label}" => {self.words[off]}' for label, off in self.switched_off.items()]
        return "\n".join(["\tdisabled services = {", *lines, "\t}"])


class Mac:
    """A home, a program and launchd."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.file = root / "Library" / "LaunchAgents" / "local.dragoman.plist"
        self.launchd = Launchd()
        self.program = self.install("Applications/Dragoman")

    def install(self, name: str) -> Path:
        program = self.root / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(INERT)
        program.chmod(0o755)
        return program

    def agent(self, program: Path | None = None) -> LaunchAgent:
        command = [str(program or self.program), "--hidden"]
        return LaunchAgent(command, home=self.root, user=501, runner=self.launchd)


@pytest.fixture
def mac(tmp_path: Path) -> Mac:
    return Mac(tmp_path)


def test_turning_on_and_off(mac: Mac) -> None:
    agent = mac.agent()
    assert not agent.is_enabled()
    agent.enable()
    assert agent.is_enabled()
    agent.disable()
    assert not agent.is_enabled()
    assert not mac.file.exists()


def test_the_file_starts_the_program_at_login_and_nothing_is_loaded_or_unloaded_now(mac: Mac) -> None:
    agent = mac.agent()
    agent.enable()
    written = plistlib.loads(mac.file.read_bytes())
    assert written["Label"] == "local.dragoman"
    assert written["ProgramArguments"] == [str(mac.program), "--hidden"]
    assert written["RunAtLoad"] is True
    agent.disable()
    assert set(mac.launchd.asked) == {"print-disabled"}


@pytest.mark.parametrize("words", [("enabled", "disabled"), ("false", "true")], ids=["macOS 13", "macOS 12"])
def test_agent_that_the_user_turned_off_can_be_turned_on_here(mac: Mac, words: tuple[str, str]) -> None:
    mac.launchd.words = words
    mac.agent().enable()
    mac.launchd.switched_off["local.dragoman"] = True
    assert not mac.agent().is_enabled()
    assert not mac.agent().repair_entry()
    mac.agent().enable()
    assert mac.agent().is_enabled()


def test_record_of_launchd_takes_precedence_over_the_file(mac: Mac) -> None:
    mac.agent().enable()
    written = plistlib.loads(mac.file.read_bytes()) | {"Disabled": True}
    mac.file.write_bytes(plistlib.dumps(written))
    assert not mac.agent().is_enabled()
    mac.launchd.switched_off["local.dragoman"] = False
    assert mac.agent().is_enabled()


def test_without_launchctl_the_file_decides(mac: Mac) -> None:
    mac.launchd.broken = True
    mac.agent().enable()
    assert mac.agent().is_enabled()


def test_failure_to_turn_on_is_an_error(mac: Mac) -> None:
    mac.launchd.switched_off["local.dragoman"] = True

    class Refusing(Launchd):
        def __call__(self, command: Sequence[str]) -> str:
            if command[1] == "enable":
                raise PermissionError("not permitted")
            return mac.launchd(command)

    agent = LaunchAgent([str(mac.program)], home=mac.root, user=501, runner=Refusing())
    with pytest.raises(SetupError, match="turned off") as caught:
        agent.enable()
    assert "Login Items" in caught.value.hint


def test_agent_of_a_missing_program_is_off_until_repaired(mac: Mac) -> None:
    mac.agent().enable()
    mac.program.unlink()
    moved = mac.install("Elsewhere/Dragoman")
    agent = mac.agent(moved)
    assert not agent.is_enabled()
    assert agent.repair_entry()
    assert agent.is_enabled()
    assert plistlib.loads(mac.file.read_bytes())["ProgramArguments"][0] == str(moved)
    assert not agent.repair_entry()


def test_an_agent_that_is_not_ours_is_not_repaired(mac: Mac) -> None:
    mac.file.parent.mkdir(parents=True)
    foreign = plistlib.dumps({"Label": "com.example", "ProgramArguments": ["/gone"], "RunAtLoad": True})
    mac.file.write_bytes(foreign)
    assert not mac.agent().repair_entry()
    assert mac.file.read_bytes() == foreign


@pytest.mark.parametrize("content", [b"", b"not a plist", b"<plist><dict><key>a</key>", plistlib.dumps(["a list"])])
def test_damaged_file_is_off_and_replaced_by_turning_on(mac: Mac, content: bytes) -> None:
    mac.file.parent.mkdir(parents=True)
    mac.file.write_bytes(content)
    assert not mac.agent().is_enabled()
    assert not mac.agent().repair_entry()
    mac.agent().enable()
    assert mac.agent().is_enabled()
