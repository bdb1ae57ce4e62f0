"""The Run key, in a registry made of a dictionary."""

import pytest

from server.core.errors import SetupError
from tray_app.desktop.autostart.windows import APPROVED, NAME, RUN, RunKey, command_line, program_of

PROGRAM = r"C:\Program Files\Dragoman\dragoman.exe"
SWITCHED_OFF = b"\x03\x00\x00\x00" + bytes(8)
SWITCHED_ON = b"\x02" + bytes(11)


class Registry:
    """HKEY_CURRENT_USER with another program's entry in it."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], str | bytes] = {(RUN, "Other"): "other.exe", (APPROVED, "Other"): b"\x03"}
        self.locked = False

    def get_value(self, key: str, name: str) -> str | bytes | None:
        return self.values.get((key, name))

    def set_value(self, key: str, name: str, value: str) -> None:
        if self.locked:
            raise PermissionError(13, "Access is denied")
        self.values[key, name] = value

    def delete_value(self, key: str, name: str) -> None:
        self.values.pop((key, name), None)


@pytest.fixture
def registry() -> Registry:
    return Registry()


def _run_key(registry: Registry, *, program: str = PROGRAM, there: tuple[str, ...] = (PROGRAM,)) -> RunKey:
    return RunKey([program, "--hidden"], registry, exists=lambda path: path in there)


def test_turning_on_and_off(registry: Registry) -> None:
    others = dict(registry.values)
    key = _run_key(registry)
    assert not key.is_enabled()
    key.enable()
    assert registry.values[RUN, NAME] == f'"{PROGRAM}" --hidden'
    assert key.is_enabled()
    key.disable()
    assert not key.is_enabled()
    assert registry.values == others


def test_entry_that_task_manager_disabled_can_be_turned_on_here(registry: Registry) -> None:
    key = _run_key(registry)
    key.enable()
    registry.values[APPROVED, NAME] = SWITCHED_OFF
    assert not key.is_enabled()
    assert not key.repair_entry()
    key.enable()
    assert key.is_enabled()


def test_entry_that_task_manager_enabled_again_is_on(registry: Registry) -> None:
    key = _run_key(registry)
    key.enable()
    registry.values[APPROVED, NAME] = SWITCHED_ON
    assert key.is_enabled()


def test_entry_of_a_missing_program_is_off_until_repaired(registry: Registry) -> None:
    _run_key(registry).enable()
    moved = r"D:\Tools\dragoman.exe"
    key = _run_key(registry, program=moved, there=(moved,))
    assert not key.is_enabled()
    assert key.repair_entry()
    assert registry.values[RUN, NAME] == f'"{moved}" --hidden'
    assert not key.repair_entry()


@pytest.mark.parametrize("line", [r"C:\gone\something-else.exe", r'"C:\gone\wrapper.exe" --start'])
def test_an_entry_that_starts_something_else_is_not_repaired(registry: Registry, line: str) -> None:
    registry.values[RUN, NAME] = line
    assert not _run_key(registry).repair_entry()
    assert registry.values[RUN, NAME] == line


def test_working_entry_of_another_installation_is_kept(registry: Registry) -> None:
    _run_key(registry).enable()
    other = r"D:\dragoman.exe"
    key = _run_key(registry, program=other, there=(PROGRAM, other))
    assert not key.repair_entry()
    key.enable()
    assert PROGRAM in str(registry.values[RUN, NAME])


def test_registry_failure_is_an_error(registry: Registry) -> None:
    registry.locked = True
    with pytest.raises(SetupError, match="Access is denied"):
        _run_key(registry).enable()


@pytest.mark.parametrize(
    ("line", "program"),
    [
        (r'"C:\Program Files\A B\tray.exe" --hidden', r"C:\Program Files\A B\tray.exe"),
        (r"C:\Tools\tray.exe --hidden", r"C:\Tools\tray.exe"),
        (r"C:\Program Files\A B\tray.exe --hidden", r"C:\Program Files\A B\tray.exe"),
        (r"tray --hidden", "tray"),
    ],
)
def test_the_program_of_a_command_line(line: str, program: str) -> None:
    assert program_of(line) == program


def test_arguments_with_spaces_are_quoted() -> None:
    line = command_line([r"C:\py\pythonw.exe", "-m", "tray_app", "--config-dir", r"C:\my conf", "--hidden"])
    assert line == r'"C:\py\pythonw.exe" -m tray_app --config-dir "C:\my conf" --hidden'
