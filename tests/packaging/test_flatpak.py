"""The Flatpak: its files, and the wrapper that runs `claude` outside of the sandbox."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from kinds import flatpak
from project import read_project

from server.backends.claude_cli.transport.command_line import SET, build_environment
from tests.systems import posix_only

pytestmark = posix_only("a script as the program")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Flatpaks are for Linux")
PROJECT = read_project()
HELPER = Path("/usr/libexec/flatpak-session-helper")
REAL_SPAWN = Path("/usr/libexec/flatpak-xdg-utils/flatpak-spawn")
real = pytest.mark.skipif(
    not (HELPER.exists() and REAL_SPAWN.exists() and shutil.which("dbus-daemon") and shutil.which("gdbus")),
    reason="flatpak, flatpak-xdg-utils, dbus or gdbus are not installed",
)

STAND_IN = """#!{python} -I
# `flatpak-spawn --host`, whose outside is this computer with the session's variables.
import json, os, sys
options = dict(word[2:].partition("=")[::2] for word in sys.argv[1:] if word.startswith("--"))
command = [word for word in sys.argv[1:]]
while command[0].startswith("--"):
    command.pop(0)
assert {{"host", "watch-bus"}} <= set(options), options
given = os.read(int(options["env-fd"]), 1 << 20).decode()
environment = json.loads({session!r})
environment.update(entry.split("=", 1) for entry in given.split("\\0") if entry)
os.chdir(options["directory"])
os.execvpe(command[0], command, environment)
"""
CLAUDE = """#!{python} -I
import json, os, sys
print(json.dumps([sys.argv[1:], dict(os.environ), os.getcwd(), os.getpid()]), flush=True)
for line in sys.stdin:
    print("read " + line, end="", flush=True)
print("the end", file=sys.stderr)
sys.exit(7)
"""


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.format(python=sys.executable) if text is CLAUDE else text)
    path.chmod(0o755)
    return path


class Sandbox:
    """A sandbox's PATH with the wrapper and a `flatpak-spawn`, and the home that it shares with the outside."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "users home"
        self.home.mkdir()
        self.commands = folder / "app" / "bin"
        self.wrapper = put(self.commands / "claude", flatpak.render_wrapper())
        self.variables = {
            "HOME": str(self.home),
            "PATH": f"{self.commands}:{os.defpath}",
            "XDG_CONFIG_HOME": str(self.home / ".var" / "config"),
            "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/flatpak/bus",
        }

    def use_stand_in(self) -> None:
        """Let `flatpak-spawn` be a stand-in, in a session with variables of its own."""
        session = {"HOME": str(self.home), "PATH": os.defpath, "OUTSIDE": "yes"}
        text = STAND_IN.format(python=sys.executable, session=json.dumps(session))
        put(self.commands / "flatpak-spawn", text)

    @contextmanager
    def running(self, *arguments: str, directory: Path | None = None, **variables: str) -> Iterator[Any]:
        """Run the wrapper for the `with` block, with pipes, in a process group of its own."""
        process = subprocess.Popen(
            [self.wrapper, *arguments],
            env=self.variables | variables,
            cwd=directory or self.home,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    return Sandbox(tmp_path)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle's form."""
    folder = tmp_path / "bundle" / PROJECT.name
    (folder / "_internal").mkdir(parents=True)
    put(folder / PROJECT.name, "#!/bin/sh\n")
    return folder


def test_files_carry_the_id_that_flatpak_exports(bundle: Path, tmp_path: Path) -> None:
    prefix = tmp_path / "files"
    flatpak.fill_prefix(PROJECT, bundle, prefix)
    exported = [path for top in ("applications", "icons", "metainfo") for path in (prefix / "share" / top).rglob("*.*")]
    assert len(exported) > 10
    assert all(path.name.startswith(f"{PROJECT.app_id}.") for path in exported)
    entry = (prefix / "share" / "applications" / f"{PROJECT.app_id}.desktop").read_text()
    assert f"\nIcon={PROJECT.app_id}\n" in entry
    metainfo = (prefix / "share" / "metainfo" / f"{PROJECT.app_id}.metainfo.xml").read_text()
    assert f">{PROJECT.app_id}.desktop</launchable>" in metainfo
    # The whole folder becomes /app.
    assert (prefix / "bin" / PROJECT.name).readlink() == Path("../lib/dragoman/dragoman")
    assert os.access(prefix / "bin" / "claude", os.X_OK)
    assert "strip: false" in flatpak.render_manifest(PROJECT)


def test_the_release_installs_the_sdk_of_the_manifest() -> None:
    workflow = (Path(__file__).parents[2] / ".github" / "workflows" / "release.yml").read_text()
    assert flatpak.SDK in workflow
    assert f"runtime-version: '{flatpak.SDK.rpartition('/')[2]}'" in flatpak.render_manifest(PROJECT)


def test_arguments_variables_folder_and_streams_reach_claude_outside(sandbox: Sandbox) -> None:
    sandbox.use_stand_in()
    put(sandbox.home / ".local" / "bin" / "claude", CLAUDE)
    folder = sandbox.home / "a folder"
    folder.mkdir()
    given = {
        "ANTHROPIC_API_KEY": "a key with 'quotes', $x\nand a line",
        "https_proxy": "http://proxy",
        "LC_ALL": "C.UTF-8",
        "EMPTY": "",
        "OTHER_SECRET": "stays inside",
    }
    words = ["-p", "--tools", "", "two words", "$HOME", '{"a": "b"}']
    with sandbox.running(*words, directory=folder, **build_environment(sandbox.variables | given)) as process:
        output, errors = process.communicate("first\nsecond\n", timeout=60)
    arguments, environment, directory, pid = json.loads(output.splitlines()[0])
    assert arguments == words
    assert directory == str(folder)
    # The wrapper, flatpak-spawn's stand-in and the shell have become it: a signal to one is a signal to it.
    assert pid == process.pid
    assert environment.items() >= {**SET, **{name: given[name] for name in list(given)[:3]}}.items()
    assert environment["OUTSIDE"] == "yes"
    assert not {"XDG_CONFIG_HOME", "DBUS_SESSION_BUS_ADDRESS", "OTHER_SECRET"} & set(environment)
    assert not environment["PATH"].startswith(str(sandbox.commands))
    assert output.splitlines()[1:] == ["read first", "read second"]
    assert errors == "the end\n"
    assert process.returncode == 7


def test_secrets_are_not_in_the_command_line(sandbox: Sandbox) -> None:
    sandbox.use_stand_in()
    put(sandbox.home / ".local" / "bin" / "claude", '#!/bin/sh\ntr "\\0" "\\n" < /proc/$$/cmdline\n')
    put(sandbox.commands / "flatpak-spawn", '#!/bin/sh\nprintf "%s\\n" "$@"\n')
    with sandbox.running(ANTHROPIC_API_KEY="a secret") as process:
        output, _ = process.communicate(timeout=60)
    assert "--env-fd=3" in output.splitlines()
    assert "a secret" not in output


def test_a_folder_of_the_sandbox_is_not_asked_for_outside(sandbox: Sandbox) -> None:
    sandbox.use_stand_in()
    put(sandbox.home / ".local" / "bin" / "claude", "#!/bin/sh\npwd\n")
    with sandbox.running(directory=sandbox.commands) as process:
        output, _ = process.communicate(timeout=60)
    assert output.strip() == str(sandbox.home)


def test_without_claude_outside_the_error_says_what_to_do(sandbox: Sandbox) -> None:
    sandbox.use_stand_in()
    # A session whose PATH has a shell and nothing else.
    tools = sandbox.home.parent / "tools"
    tools.mkdir()
    (tools / "sh").symlink_to("/bin/sh")
    stand_in = sandbox.commands / "flatpak-spawn"
    stand_in.write_text(stand_in.read_text().replace(os.defpath, str(tools)))
    with sandbox.running("--version") as process:
        _, errors = process.communicate(timeout=60)
    if shutil.which("claude", path="/usr/local/bin:/usr/bin:/bin"):
        pytest.skip("this computer has a claude for all users")
    assert errors == (
        "Claude Code was not found outside of the sandbox: install it from https://claude.com/claude-code\n"
    )
    assert process.returncode == 127


@contextmanager
def session_bus(sandbox: Sandbox) -> Iterator[str]:
    """Run a session bus with Flatpak's helper for the `with` block, which gets its address."""
    variables = {"HOME": str(sandbox.home), "PATH": os.defpath, "XDG_RUNTIME_DIR": str(sandbox.home)}
    command = ["dbus-daemon", "--session", "--nofork", "--print-address=1"]
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as bus:
        assert bus.stdout is not None
        variables["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().strip()
        with subprocess.Popen([HELPER], env=variables) as helper:
            try:
                yield variables["DBUS_SESSION_BUS_ADDRESS"]
            finally:
                helper.terminate()
                bus.terminate()


@real
def test_flatpaks_own_tools_pass_everything_on_and_end_claude_with_its_caller(sandbox: Sandbox) -> None:
    (sandbox.commands / "flatpak-spawn").symlink_to(REAL_SPAWN)
    put(sandbox.home / ".local" / "bin" / "claude", CLAUDE)
    with session_bus(sandbox) as address:
        sandbox.variables["DBUS_SESSION_BUS_ADDRESS"] = address
        # Flatpak starts the helper when it is asked for; here it may not be on the bus yet.
        wait = ["gdbus", "wait", "--session", "--timeout", "60", "org.freedesktop.Flatpak"]
        subprocess.run(wait, env=sandbox.variables, check=True)
        with sandbox.running("-p", "", ANTHROPIC_API_KEY="a key", OTHER_SECRET="stays inside") as process:
            arguments, environment, _, pid = json.loads(process.stdout.readline())
            assert arguments == ["-p", ""]
            assert environment["ANTHROPIC_API_KEY"] == "a key"
            assert "OTHER_SECRET" not in environment
            assert pid != process.pid
            outside = psutil.Process(pid)
            # As the server ends a process, and as the system does when the server was killed.
            os.killpg(process.pid, signal.SIGKILL)
            outside.wait(60)
