"""`dev.py fresh`: minimal systems cannot change this machine, and its steps fail when they should."""

import shlex
import subprocess
import sys
from pathlib import Path

import fresh
import pytest
from fresh import Step, StepFailed
from minimal_system import MinimalSystem, local_indexes

from tests.systems import posix_only


def test_folders_of_indexes_are_given_but_no_files_and_no_addresses(tmp_path: Path) -> None:
    simple, wheels = tmp_path / "index" / "simple", tmp_path / "wheels"
    simple.mkdir(parents=True)
    wheels.mkdir()
    bundle = tmp_path / "certificates.crt"
    bundle.write_text("")
    settings = {
        "PIP_EXTRA_INDEX_URL": f"https://index.example/simple file://{simple}",
        "PIP_FIND_LINKS": f"{wheels} {tmp_path}/removed",
        "PIP_CERT": str(bundle),
        "PIP_TIMEOUT": "60",
    }
    assert local_indexes(settings) == [simple.parent, wheels]


@posix_only("mounts")
def test_what_is_this_machines_is_mounted_without_the_right_to_write(tmp_path: Path, monkeypatch) -> None:
    index = tmp_path / "index"
    index.mkdir()
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    monkeypatch.setattr("os.chown", lambda *_: None)
    system = MinimalSystem(tmp_path / "root", tmp_path / "caches")
    script = system.command("true")[4].splitlines()
    mounted = [line for line in script if f"--bind {shlex.quote(str(index))} " in line]
    assert len(mounted) == 1
    assert f"mount -o remount,bind,ro {tmp_path}/root{index}" in script
    writable = {line.split()[-1] for line in script if "--bind" in line} - {
        line.split()[-1] for line in script if "remount,bind,ro" in line
    }
    devices = f"{tmp_path}/root/dev/"
    assert {path for path in writable if not path.startswith(devices)} == {f"{tmp_path}/root/var/cache/pip-root"}


class LocalSystem:
    """Runs the lines on this system, in which `dev.py` is a made one."""

    def run_checked(self, line: str) -> None:
        subprocess.run(["sh", "-c", line], check=True)

    def command(self, line: str, user: str = "root") -> list[str]:
        return ["sh", "-c", line.replace("python3", shlex.quote(sys.executable))]


SERVER = """
import signal, sys
print("listening on http://127.0.0.1:1", flush=True)
signal.sigwait([signal.SIGTERM])
"""


@posix_only("a shell of POSIX")
@pytest.mark.parametrize(
    ("program", "step", "failure"),
    [
        ("print('ready')", Step("x", ("ready",)), ""),
        ("print('ready')", Step("x", ("not there",)), "lacks 'not there'"),
        ("raise SystemExit(3)", Step("x"), "exit code 3 instead of 0"),
        ("raise SystemExit(3)", Step("x", code=3), ""),
        ("import os; print(os.environ['SET'])", Step("x", ("^9$",), variables="SET=9"), ""),
        ("print('no server')", Step("x", serves=lambda _: None), "did not listen"),
        (f"import signal; signal.pthread_sigmask(0, [15]){SERVER}", Step("x", serves=lambda _: None), ""),
    ],
)
def test_a_step_fails_when_it_should(tmp_path: Path, program: str, step: Step, failure: str) -> None:
    (tmp_path / "dev.py").write_text(program)
    if not failure:
        fresh.run_step(LocalSystem(), str(tmp_path), "root", step)  # type: ignore[arg-type]
        return
    with pytest.raises(StepFailed, match=failure):
        fresh.run_step(LocalSystem(), str(tmp_path), "root", step)  # type: ignore[arg-type]
