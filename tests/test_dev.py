import ast
import os
import re
import subprocess
import sys
import tomllib
import venv
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import dev
from tests.systems import INERT

DEV = dev.ROOT / "dev.py"
LISTING = """\
installed\tlibgl1\t
installed\tlibglib2.0-0t64\tlibglib2.0-0 (= 2.80.0-6)
installed\tfontconfig-config\tfonts, libfontconfig-abi (= 1)
config-files\txvfb\txserver
"""


@pytest.fixture
def environment(tmp_path):
    """A real virtual environment, without anything in it."""
    root = tmp_path / "environment"
    venv.create(root, with_pip=False, symlinks=not dev.WINDOWS)
    return root


def start(*arguments, directory):
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)


def test_help_names_every_command_from_any_directory(tmp_path):
    answer = start(str(DEV), "--help", directory=tmp_path)
    assert answer.returncode == 0
    for name in ("run", "test", "check", "soak", "demo", "bench", "setup"):
        assert re.search(rf"^  {name} ", answer.stdout, re.MULTILINE)


@pytest.mark.parametrize(("arguments", "said"), [([], "  demo "), (["tset"], "tset")])
def test_a_wrong_command_is_refused_with_the_usage(tmp_path, arguments, said):
    answer = start(str(DEV), *arguments, directory=tmp_path)
    assert answer.returncode == 2
    assert "usage: python3 dev.py COMMAND" in answer.stderr
    assert said in answer.stderr


def test_an_older_python_is_told_what_is_needed(tmp_path):
    ast.parse(DEV.read_text(encoding="utf-8"), feature_version=(3, 7))
    program = f"import runpy, sys; sys.version_info = (3, 9, 2); runpy.run_path({str(DEV)!r})"
    answer = start("-c", program, directory=tmp_path)
    assert answer.returncode == 1
    assert "needs Python 3.11 or newer; this is 3.9" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    ("wanted", "missing"),
    [
        (["libgl1"], []),
        (["libglib2.0-0"], []),  # provided under another name
        (["libfontconfig-abi", "fonts"], []),
        (["xvfb"], ["xvfb"]),  # removed, its settings left
        (["trayer", "libgl1", "dbus"], ["trayer", "dbus"]),
    ],
)
def test_packages_that_dpkg_does_not_have_are_missing(wanted, missing):
    assert dev.missing_packages(wanted, LISTING) == missing


def test_nothing_is_missing_where_there_is_no_dpkg():
    assert dev.missing_packages(["libgl1"], None) == []


def test_apt_is_called_through_sudo_without_questions():
    command = dev.apt_command(["/usr/bin/sudo", "-n"], "install", "-y", "xvfb")
    assert command[:4] == ["/usr/bin/sudo", "-n", "env", "DEBIAN_FRONTEND=noninteractive"]
    assert command[-3:] == ["install", "-y", "xvfb"]


def test_the_interpreter_lies_where_the_system_puts_it():
    assert dev.environment_python(Path("e"), windows=True) == Path("e/Scripts/python.exe")
    assert dev.environment_python(Path("e"), windows=False) == Path("e/bin/python")


@pytest.mark.parametrize(
    ("extras", "project", "grouped"),
    [(set(), ".", 0), ({"tray", "bundled-cli"}, ".[bundled-cli,tray]", 0), ({"tray", "dev"}, ".[tray]", 10)],
)
def test_pip_installs_everything_pinned(extras, project, grouped):
    backend, install = dev.pip_commands(Path("python"), extras)
    assert backend[-2:] == ["hatchling", "editables"]
    after = install.index("--no-build-isolation")
    assert install[after : after + 3] == ["--no-build-isolation", "-e", project]
    assert len(install) - after - 3 >= grouped
    assert grouped == 0 or any(requirement.startswith("pytest") for requirement in install)
    for command in (backend, install):
        assert command[:4] == ["python", "-m", "pip", "install"]
        assert command[command.index("-c") + 1] == "constraints.txt"


def test_an_environment_is_ready_once_its_stamp_covers_the_extras(environment):
    version = dev.interpreter_version(environment)
    assert version == "{}.{}".format(*sys.version_info[:2])
    assert not dev.is_ready(environment, {"dev"})  # half made: no stamp

    stamp = dev.Stamp(dev.stamp_key(dev.ROOT, version), frozenset({"dev", "tray"}))
    dev.write_stamp(environment / dev.STAMP, stamp)
    assert dev.read_stamp(environment / dev.STAMP) == stamp
    assert dev.is_ready(environment, {"dev"})
    assert not dev.is_ready(environment, {"dev", "bundled-cli"})


def test_an_environment_whose_python_is_gone_is_not_ready(environment):
    version = dev.interpreter_version(environment)
    dev.write_stamp(environment / dev.STAMP, dev.Stamp(dev.stamp_key(dev.ROOT, version), frozenset()))
    assert dev.is_ready(environment, set())
    dev.environment_python(environment).unlink()
    assert not dev.is_ready(environment, set())


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"key": "k"}', '{"key": "k", "extras": 3}'])
def test_a_damaged_stamp_is_none(tmp_path, text):
    path = tmp_path / dev.STAMP
    path.write_text(text)
    assert dev.read_stamp(path) is None


def test_the_key_changes_with_whatever_the_environment_is_made_from(tmp_path):
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text("a")
    keys = [dev.stamp_key(tmp_path, "3.11"), dev.stamp_key(tmp_path, "3.12")]
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text("b")
        keys.append(dev.stamp_key(tmp_path, "3.11"))
    assert len(set(keys)) == 4
    assert dev.stamp_key(tmp_path, "3.11") == keys[-1]


def test_a_second_setup_waits_for_the_first(tmp_path):
    lock, log = tmp_path / "lock", tmp_path / "log"
    program = (
        "import dev, pathlib, sys\n"
        "lock, log = map(pathlib.Path, sys.argv[1:])\n"
        "print('waiting', flush=True)\n"
        "with dev.exclusively(lock), log.open('a') as file: file.write('second ')"
    )
    command = [sys.executable, "-c", program, str(lock), str(log)]
    with dev.exclusively(lock):
        second = subprocess.Popen(command, cwd=dev.ROOT, stdout=subprocess.PIPE, text=True)
        assert second.stdout.readline() == "waiting\n"
        with log.open("a") as file:
            file.write("first ")
    second.communicate()
    assert log.read_text() == "first second "


@pytest.mark.parametrize(
    ("given", "window"),
    [
        ([], True),
        (["--hidden"], True),
        (["--port", "0"], True),
        (["serve", "--port", "0"], False),
        (["doctor"], False),
        (["--version"], False),
        (["--help"], False),
    ],
)
def test_run_opens_the_window_unless_a_subcommand_is_named(given, window):
    assert dev.wants_window(given) is window


@pytest.fixture
def no_claude(tmp_path, monkeypatch):
    """A PATH without programs. Installers' folders are those of the test's own home."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(dev.locate, "find_places", lambda *_: iter(()))


def test_run_installs_claude_code_unless_there_is_one(no_claude, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(dev.install_hint, "has_bundled_cli", lambda: True)
    assert dev.choose_cli_extras() == {"bundled-cli"}
    program = tmp_path / ("claude.exe" if dev.WINDOWS else "claude")
    program.write_text(INERT)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join((str(tmp_path), "/bin")))
    assert dev.choose_cli_extras() == set()
    assert capsys.readouterr().err == ""


def test_where_no_package_has_claude_code_the_line_that_installs_it_is_named(no_claude, monkeypatch, capsys):
    monkeypatch.setattr(dev.install_hint, "has_bundled_cli", lambda: False)
    assert dev.choose_cli_extras() == set()
    assert "claude.ai/install" in capsys.readouterr().err
    assert dev.main(["demo"]) == 1
    error = capsys.readouterr().err
    assert "this computer has none" in error
    assert "claude.ai/install" in error


def test_pytest_goes_without_its_qt_plugin_where_qt_has_no_libraries():
    python = Path("python")
    assert dev.pytest_command(python, [], ["-x"]) == ["python", "-m", "pytest", "-x"]
    assert dev.pytest_command(python, ["xvfb"], []) == ["python", "-m", "pytest"]
    assert dev.pytest_command(python, ["libegl1"], [])[3:] == ["-p", "no:pytest-qt"]


def test_the_parallel_options_runs_on_all_cores_and_a_part_of_it_in_one_process(monkeypatch):
    commands = []
    monkeypatch.setattr(dev, "prepare", lambda needs: (Path("python"), []))
    monkeypatch.setattr(dev, "become", lambda command, directory: commands.append(command))
    monkeypatch.setattr(dev, "run_steps", lambda steps: commands.append(steps["tests"]))
    for command, arguments in [(dev.test, []), (dev.check, ["-x"]), (dev.test, ["tests/store", "-x"])]:
        command(arguments)
    whole, checked, part = ([*command[3:]] for command in commands)
    assert whole == ["-n", str(min(dev.count_cores(), 8)), "--dist", "worksteal"]
    assert checked == [*whole, "-x"]
    assert part == ["tests/store", "-x"]


@pytest.mark.parametrize(
    ("arguments", "count", "others"),
    [
        ([], "20000", []),
        (["--examples", "7", "tests/store", "-x"], "7", ["tests/store", "-x"]),
        (["--examples=7"], "7", []),
    ],
)
def test_soak_runs_the_property_tests_with_many_examples(monkeypatch, arguments, count, others):
    commands = []
    monkeypatch.setenv("SOAK_EXAMPLES", "")
    monkeypatch.setattr(dev, "prepare", lambda needs: (Path("python"), []))
    monkeypatch.setattr(dev, "become", lambda command, directory: commands.append(command))
    dev.soak(arguments)
    (command,) = commands
    assert os.environ["SOAK_EXAMPLES"] == count
    assert command[command.index("-m", 3) + 1] == "hypothesis or soak"
    assert command[len(command) - len(others) :] == others


PROPERTY = """
from hypothesis import given, settings, strategies as st
from tests.soak import examples

tried = []

@given(st.integers())
def test_usual(number):
    tried.append(number)

@settings(max_examples=examples(3))
@given(st.integers())
def test_own_number(number):
    tried.append(number)

def test_count():
    print("tried", len(tried))
"""


@pytest.mark.parametrize(("count", "said"), [(None, "tried 103"), ("150", "tried 300")])
def test_examples_are_as_many_as_soak_asks_for(tmp_path, count, said):
    test = tmp_path / "test_property.py"
    test.write_text(PROPERTY)
    environment = {**os.environ, **({"SOAK_EXAMPLES": count} if count else {})}
    options = ["-q", "-s", "-p", "no:cacheprovider", "-p", "tests.conftest", "--rootdir", str(tmp_path)]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(test)],
        cwd=dev.ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert said in run.stdout, run.stdout + run.stderr


@pytest.mark.parametrize("has_newer", [True, False])
def test_the_check_runs_the_stores_tests_on_a_newer_sqlite_where_there_is_one(monkeypatch, has_newer):
    checked = []
    monkeypatch.setattr(dev, "prepare", lambda needs: (Path("python"), []))
    monkeypatch.setattr(dev, "run_steps", checked.append)
    monkeypatch.setattr(dev, "has_newer_sqlite", lambda: has_newer)
    dev.check([])
    (steps,) = checked
    assert [*steps][:4] == ["ruff check", "ruff format", "mypy", "tests"]
    assert [*steps][-1] == "packages"
    newer = [command for name, command in steps.items() if name == "newer SQLite"]
    assert [command[-3:] for command in newer] == [["-p", "tests.newer_sqlite", "tests/store"]] * has_newer


def test_every_step_of_the_check_runs_and_the_failure_is_the_result(tmp_path, capfd):
    steps = {
        "wrong": [sys.executable, "-c", "raise SystemExit(3)"],
        "right": [sys.executable, "-c", "print('ran all the same')"],
    }
    assert dev.run_steps(steps) == 3
    out, err = capfd.readouterr()
    assert "ran all the same" in out
    assert re.search(r"wrong +FAILED \(3\) +\d", err)
    assert re.search(r"right +ok +\d", err)
    assert dev.run_steps({"right": steps["right"]}) == 0


def test_a_child_that_a_signal_ended_counts_as_failed():
    assert dev.exit_code(0) == 0
    assert dev.exit_code(2) == 2
    assert dev.exit_code(-15) == 143


def test_constraints_pin_every_dependency_and_name_no_registry():
    project = tomllib.loads((dev.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    text = (dev.ROOT / "constraints.txt").read_text(encoding="utf-8")
    pins = [Requirement(line) for line in text.splitlines() if not line.startswith("#")]
    assert all(len(pin.specifier) == 1 and str(pin.specifier).startswith("==") for pin in pins)
    assert not [pin for pin in pins if pin.url]
    pinned = {canonicalize_name(pin.name) for pin in pins}
    names = {canonicalize_name(Requirement(line).name) for line in wanted}
    assert names.union(dev.BUILD_BACKEND) <= pinned


@pytest.mark.parametrize(("python", "sound"), [("3.11", False), ("3.12", True), ("3.13", True)])
def test_pyside_6_12_is_for_python_3_12_and_later(python, sound):
    project = tomllib.loads((dev.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    tray = [Requirement(line) for line in project["optional-dependencies"]["tray"]]
    qt = [requirement for requirement in tray if requirement.name == "PySide6-Essentials"]
    marked = [r for r in qt if r.marker and r.marker.evaluate({"python_version": python})]
    assert len(marked) == 1
    assert ("6.12.0" in marked[0].specifier) is sound
    assert "6.11.3" in marked[0].specifier


def test_what_the_tests_of_a_real_screen_start_is_installed_for_them() -> None:
    sources = [path.read_text() for path in Path(dev.ROOT, "tests/tray_app/screen").glob("*.py")]
    started = set(chain.from_iterable(re.findall(r'\.start\(\["([a-z-]+)"', source) for source in sources))
    assert {"dunst", "openbox", "trayer"} <= started
    assert started <= set(dev.DESKTOP_TEST_PACKAGES)
