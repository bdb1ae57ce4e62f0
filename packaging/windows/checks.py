"""Checks of Windows' packages: the zip in a folder with other letters, and the installer from first to last."""

import re
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PureWindowsPath

from project import Project
from recipe import Build, BuildFailed, report
from smoke import (
    LISTENING,
    PATIENCE_SECONDS,
    Figures,
    SmokeFailed,
    check_leftovers,
    made_account,
    run,
    run_smoke_test,
    started,
    wait_for,
)
from windows.installer import make_installer
from windows.machine import START_MENU, Machine, open_machine

FOLDER = "Mały folder, ελληνικά"
FORMER = "0.0.1"
"""Version of the installer that is installed first, with a file that the next one does not have."""
UNINSTALL = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall"
RUN = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Run"


def check_zip(build: Build, archive: Path) -> None:
    """Unpack the zip into a folder whose name has spaces and letters of several scripts, and use it."""
    with open_machine(build) as machine:
        folder = machine.local_data / FOLDER
        with zipfile.ZipFile(archive) as files:
            files.extractall(folder)
        try:
            figures = use_programs(machine, folder / build.project.name, build.project.name)
        except SmokeFailed as error:
            raise BuildFailed(f"the unpacked zip does not work: {error}") from error
        finally:
            shutil.rmtree(folder)
    report(f"the program for Windows {figures}")


def use_programs(machine: Machine, folder: Path, name: str) -> Figures:
    """Run the smoke test on the programs in a folder. Returns its figures; raises SmokeFailed."""
    program, window = (machine.command(folder / f"{each}.exe") for each in (name, f"{name}-window"))
    figures = run_smoke_test(program, window=window, variables=machine.variables)
    with made_account(variables=machine.variables) as (_, environment, _):
        run(window, environment, "doctor")  # prints nothing there, and has to bear that
    check_leftovers(machine.local_data / name)
    return figures


def check_installer(build: Build, installer: Path, bundle: Path) -> None:
    """Install, use, upgrade and remove, with a version before that is made for it."""
    work = build.work_dir("windows-installer-check")
    former = work / "former.exe"
    old = work / build.project.name
    shutil.copytree(bundle, old)
    (old / "_internal" / "former").mkdir()
    (old / "_internal" / "former" / "module.txt").write_text("not in later versions")
    make_installer(replace(build.project, version=FORMER), old, former, work, compression="zlib")
    try:
        with open_machine(build) as machine, made_account(variables=machine.variables) as (home, environment, _):
            setup = Setup(build.project, machine, environment, home)
            check_foreign_folder(setup, former)
            check_upgrade(setup, former, installer)
            use_programs(machine, setup.folder, build.project.name)
            check_unreachable_program(setup, installer)
            check_removal(setup, installer, bundle)
    except SmokeFailed as error:
        raise BuildFailed(f"the installer does not work: {error}") from error


@dataclass(frozen=True)
class Setup:
    """The program as it is installed on a machine."""

    project: Project
    machine: Machine
    environment: Mapping[str, str]
    home: Path

    @property
    def folder(self) -> Path:
        """The folder of the program."""
        return self.machine.local_data / "Programs" / self.project.title

    @property
    def data(self) -> Path:
        """The folder of what the program stores."""
        return self.machine.local_data / self.project.name

    @property
    def menu_entry(self) -> Path:
        """The entry in the Start menu."""
        return self.machine.roaming_data / START_MENU / f"{self.project.title}.lnk"

    def program(self, folder: Path | None = None) -> list[str]:
        """The command that starts the program with a console."""
        return self.machine.command((folder or self.folder) / f"{self.project.name}.exe")

    def install(self, installer: Path, *options: str, code: int = 0) -> None:
        """Run an installer silently. Raises SmokeFailed if its exit code is another one."""
        self._run(self.machine.command(installer, "/S", *options), code)

    def uninstall(self, *options: str) -> None:
        """Run the uninstaller silently as the system does, and wait for its end."""
        line = self.uninstall_entry("QuietUninstallString") or ""
        found = re.fullmatch(r'"([^"]+)" (/S)', line)
        require(found is not None, f"QuietUninstallString is {line!r}")
        assert found is not None  # noqa: S101 - for the type checker
        self._run(self.machine.command(found[1], found[2], *options), 0)
        # It goes on in a copy of itself, and removes this value last.
        wait_for(lambda: self.uninstall_entry("DisplayName") is None, "the end of the uninstaller")

    def _run(self, command: list[str], code: int) -> None:
        done = subprocess.run(command, env=self.environment, capture_output=True, cwd=self.home)
        require(done.returncode == code, f"{command[-2:]} ends with {done.returncode}, not {code}")

    def uninstall_entry(self, name: str) -> str | None:
        """A value of the entry in the system's list of programs, or None."""
        return self.registry(rf"{UNINSTALL}\{self.project.title}", name)

    def login_command(self) -> str | None:
        """The command line that starts the program at login, or None."""
        return self.registry(RUN, self.project.title)

    def registry(self, key: str, name: str) -> str | None:
        """A text of the registry, or None."""
        # Not `reg query`, which prints in a code page that lacks letters of the user's name.
        exported = self.home / "registry.reg"
        exported.unlink(missing_ok=True)
        export = self.machine.command("reg", "export", key, exported, "/y")
        subprocess.run(export, env=self.environment, capture_output=True, cwd=self.home)
        return read_text_value(exported.read_text("utf-16"), name) if exported.is_file() else None


def read_text_value(exported: str, name: str) -> str | None:
    """A text of the first key in an exported part of the registry, or None."""
    key = exported.partition("[")[2].partition("\n[")[0]
    found = re.search(rf'^"{re.escape(name)}"="(.*)"\s*$', key, re.MULTILINE)
    return re.sub(r"\\(.)", r"\1", found[1]) if found else None


def check_foreign_folder(setup: Setup, installer: Path) -> None:
    """Install into a folder that has files of another program."""
    (setup.folder / "_internal").mkdir(parents=True)
    setup.install(installer, code=2)
    require(names_below(setup.folder) == {"_internal"}, "a folder of another program was changed")
    require(setup.uninstall_entry("DisplayName") is None, "an installer that gave up has written its entry")
    (setup.folder / "_internal").rmdir()


def check_upgrade(setup: Setup, former: Path, installer: Path) -> None:
    """Install the former version and, while it runs, the present one over it."""
    setup.install(former, "/STARTATLOGIN")
    require(setup.uninstall_entry("DisplayVersion") == FORMER, "the former version is not in the list of programs")
    require(setup.menu_entry.is_file(), "there is no entry in the Start menu")
    where = setup.uninstall_entry("InstallLocation") or ""
    command = f'"{PureWindowsPath(where, setup.project.name)}-window.exe" --hidden'
    require(setup.login_command() == command, f"{setup.login_command()} is started at login, not {command}")
    users_own = setup.folder / "notes of the user.txt"
    users_own.write_text("not the installer's")
    serve = [*setup.program(), "serve", "--port", "0"]
    with started(serve, setup.environment, LISTENING, setup.home / "former.log") as program:
        setup.install(installer)
        require(program.process.wait(PATIENCE_SECONDS) == 0, "the upgrade does not end the program in order")
    require(setup.uninstall_entry("DisplayVersion") == setup.project.version, "the upgrade is not in the list")
    require(not (setup.folder / "_internal" / "former").exists(), "the upgrade leaves files of the former version")
    require(users_own.is_file(), "the upgrade has removed a file of the user")
    require(setup.login_command() == command, "the upgrade has changed start at login")


def check_unreachable_program(setup: Setup, installer: Path) -> None:
    """Install over a running program that the installer cannot ask to end, because its data is in another folder."""
    folder = ("--data-dir", "C:\\elsewhere")
    serve, end = [*setup.program(), "serve", "--port", "0", *folder], [*setup.program(), "quit", *folder]
    before = names_below(setup.folder)
    with started(serve, setup.environment, LISTENING, setup.home / "elsewhere.log"):
        setup.install(installer, code=3)
        require(names_below(setup.folder) == before, "an installer that gave up has changed files")
        run(end, setup.environment)


def check_removal(setup: Setup, installer: Path, bundle: Path) -> None:
    """Remove the program while it runs, then install it again and remove it with its data."""
    # The real Credential Manager.
    keyring = {name: text for name, text in setup.environment.items() if "KEY" not in name}
    key = run(setup.program(), keyring, "key")
    serve = [*setup.program(), "serve", "--port", "0"]
    with started(serve, setup.environment, LISTENING, setup.home / "removed.log") as program:
        setup.uninstall()
        require(program.process.wait(PATIENCE_SECONDS) == 0, "the uninstaller does not end the program in order")
    require(names_below(setup.folder) == {"notes of the user.txt"}, f"left: {names_below(setup.folder)}")
    require(not setup.menu_entry.exists(), "the entry in the Start menu is left")
    require(setup.login_command() is None, "start at login is left")
    require((setup.data / "history.db").is_file(), "the user's data was removed")
    setup.install(installer)
    require(setup.login_command() is None, "start at login was not asked for")
    require(run(setup.program(), keyring, "key") == key, "the key has changed, although the data was kept")
    setup.uninstall("/DELETEDATA")
    require(not setup.data.exists(), f"data is left in spite of /DELETEDATA: {names_below(setup.data)}")
    require(run(setup.program(bundle), keyring, "key") != key, "the key is left in spite of /DELETEDATA")


def names_below(folder: Path) -> set[str]:
    """Names of all files and folders below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def require(holds: bool, otherwise: str) -> None:
    """Raise SmokeFailed with the text unless the condition holds."""
    if not holds:
        raise SmokeFailed(otherwise)
