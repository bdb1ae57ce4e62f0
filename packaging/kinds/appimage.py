"""The AppImage for all desktops of Linux: one file that mounts itself and runs the bundle in it.

The file is a runtime, which does the mounting, and a squashfs, one behind the other:
https://github.com/AppImage/AppImageSpec/blob/master/draft.md. It has no update information: the program never updates
itself, and another tool that does so is the user's choice.
"""

import hashlib
import os
import platform
import shlex
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time
from pathlib import Path
from time import sleep

from kinds.bundle import program
from linux.files import desktop_file, install_desktop_files, install_documents
from linux.templates import build_date
from linux.validators import validate_desktop_files
from project import Project
from recipe import Build, BuildFailed, Kind, report
from smoke import SmokeFailed, run_smoke_test

RUNTIME_VARIABLE = "DRAGOMAN_APPIMAGE_RUNTIME"
"""Variable with the path of the runtime. It is not part of Debian or PyPI, and nothing is fetched here."""
RUNTIME_RELEASE = "https://github.com/AppImage/type2-runtime/releases/download/20251108"
RUNTIME_DIGESTS = {
    "x86_64": "2fca8b443c92510f1483a883f60061ad09b46b978b2631c807cd873a47ec260d",
    "aarch64": "00cbdfcf917cc6c0ff6d3347d59e0ca1f7f45a6df1a428a0d6d8a78664d87444",
}
"""SHA-256 of `runtime-ARCHITECTURE` in that release."""
ICON_SIZE = 256


def build(build: Build) -> Path:
    """Build the AppImage, or without a runtime the squashfs of it. Returns the file."""
    project, machine = build.project, platform.machine()
    runtime = find_runtime(machine)
    app_dir = build.work_dir("appimage") / "AppDir"
    fill_app_dir(project, build.artefacts["bundle"], app_dir)
    image = build.output / f"{project.name}-{project.version}-{machine}.squashfs"
    make_squashfs(app_dir, image)
    if runtime is None:
        report(
            f"appimage: {image.name} lacks the runtime before it. Download {RUNTIME_RELEASE}/runtime-{machine} "
            f"and set {RUNTIME_VARIABLE} to its path"
        )
        return image
    app_image = image.with_suffix(".AppImage")
    join_files(runtime, image, app_image)
    image.unlink()
    return app_image


def find_runtime(machine: str) -> Path | None:
    """The runtime that the environment names, or None. Raises BuildFailed if it is not the expected file."""
    if not (named := os.environ.get(RUNTIME_VARIABLE)):
        return None
    path = Path(named)
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise BuildFailed(f"{RUNTIME_VARIABLE}: {path} cannot be read: {error.strerror}") from error
    if digest != RUNTIME_DIGESTS.get(machine):
        expected = RUNTIME_DIGESTS.get(machine, f"unknown for {machine}")
        raise BuildFailed(
            f"{RUNTIME_VARIABLE}: {path} is not the runtime of {RUNTIME_RELEASE}: its SHA-256 is {digest}, "
            f"the expected one is {expected}"
        )
    return path


def fill_app_dir(project: Project, bundle: Path, app_dir: Path) -> None:
    """Fill the image's root: the bundle, the files for desktops, and at the top what the format asks for."""
    prefix = app_dir / "usr"
    program_dir = prefix / "lib" / project.name
    shutil.copytree(bundle, program_dir, symlinks=True)
    install_desktop_files(project, prefix)
    install_documents(project, prefix)
    # A link is enough: the program looks for its files beside the real one, and needs no variables.
    (app_dir / "AppRun").symlink_to(program(program_dir).relative_to(app_dir))
    entry = desktop_file(project, prefix)
    (app_dir / entry.name).symlink_to(entry.relative_to(app_dir))
    icon = prefix / f"share/icons/hicolor/{ICON_SIZE}x{ICON_SIZE}/apps/{project.name}.png"
    for name in (icon.name, ".DirIcon"):
        (app_dir / name).symlink_to(icon.relative_to(app_dir))


def make_squashfs(folder: Path, image: Path) -> None:
    """Pack a folder. Owners and times do not depend on who builds when. Raises BuildFailed."""
    moment = str(int(datetime.combine(build_date(), time(), UTC).timestamp()))
    command = ["mksquashfs", str(folder), str(image), "-noappend", "-comp", "zstd"]
    command += ["-root-owned", "-no-xattrs", "-mkfs-time", moment, "-all-time", moment, "-no-progress", "-quiet"]
    # mksquashfs refuses the variable beside the options, which set the times of older files as well.
    environment = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    made = subprocess.run(command, env=environment, capture_output=True, text=True)
    if made.returncode:
        raise BuildFailed(f"the squashfs was not made:\n{made.stdout}{made.stderr}")


def join_files(runtime: Path, image: Path, target: Path) -> None:
    """Write the executable file that is `runtime` with `image` behind it."""
    with target.open("wb") as file:
        for part in (runtime, image):
            with part.open("rb") as source:
                shutil.copyfileobj(source, file)
    target.chmod(0o755)


def check(build: Build, artefact: Path) -> None:
    """Mount the file as its runtime does, validate what is in it, and run the smoke test. Raises BuildFailed."""
    complete = artefact.suffix == ".AppImage"
    with mounted(artefact, elf_size(artefact) if complete else 0, build.work_dir("appimage-mount")) as mount:
        validate_desktop_files(build.project, mount / "usr")
        command, variables = [str(artefact)], {}
        if not complete:  # what the runtime does; the squashfs stands for the AppImage
            command, variables = [str(mount / "AppRun")], {"APPIMAGE": str(artefact), "APPDIR": str(mount)}
        try:
            # The mount is gone after the program's end, so its messages must name the file.
            figures = run_smoke_test(command, variables=variables, own_command=shlex.quote(str(artefact)))
        except SmokeFailed as error:
            raise BuildFailed(f"the AppImage does not work: {error}") from error
    report(f"the AppImage {figures}")


@contextmanager
def mounted(image: Path, offset: int, mount: Path) -> Iterator[Path]:
    """Mount the squashfs at `offset` of a file on the folder `mount` for the `with` block. Raises BuildFailed."""
    if shutil.which("squashfuse") is None:
        raise BuildFailed("squashfuse is missing; Debian and Ubuntu have it in squashfuse")
    command = ["squashfuse", "-f", "-o", f"offset={offset}", str(image), str(mount)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        while not mount.is_mount():
            if process.poll() is not None:
                said = process.stdout.read() if process.stdout else ""
                raise BuildFailed(f"{image} cannot be mounted: {said}\nmounting needs /dev/fuse and fusermount")
            sleep(0.05)
        yield mount
    finally:
        process.terminate()  # which unmounts
        process.communicate()


def elf_size(path: Path) -> int:
    """Size of the 64-bit ELF program at the beginning of a file, where its runtime looks for the squashfs.

    It ends with the table of its sections or with the last section, whichever comes later. Offsets: elf(5), Elf64_Ehdr
    and Elf64_Shdr.
    """
    with path.open("rb") as file:
        header = file.read(64)
        (table,) = struct.unpack_from("<Q", header, 0x28)
        entry_size, entries = struct.unpack_from("<HH", header, 0x3A)
        end = table + entry_size * entries
        file.seek(end - entry_size)
        start, size = struct.unpack_from("<QQ", file.read(entry_size), 0x18)
    return int(max(end, start + size))


def missing() -> str | None:
    """What this system lacks to build the squashfs, or None."""
    if sys.platform != "linux":
        return "AppImages are built on Linux"
    if shutil.which("mksquashfs") is None:
        return "mksquashfs is missing; Debian and Ubuntu have it in squashfs-tools"
    return None


KIND = Kind("appimage", "AppImage for all desktops of Linux", build, check, needs=("bundle",), missing=missing)
