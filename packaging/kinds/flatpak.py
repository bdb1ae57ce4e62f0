"""The Flatpak, made from the bundle: its files, which are checked here, and the manifest that packs them.

Packing needs the runtime org.freedesktop.Sdk, which comes from Flathub. Where it is installed, `flatpak-builder` makes
the one file that `flatpak install` takes.
"""

import platform
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from string import Template

from kinds.bundle import program
from linux.files import desktop_file, install_desktop_files, install_documents, metainfo_file, write_text
from linux.validators import run_checker
from project import ROOT, Project
from recipe import Build, BuildFailed, Kind, report

sys.path.insert(0, str(ROOT))

from server.backends.claude_cli.transport.command_line import PASSED, PASSED_PREFIXES, SET

SDK = "org.freedesktop.Sdk//25.08"
TEMPLATES = ROOT / "packaging" / "flatpak"
SANDBOX_VARIABLES = frozenset({"HOME", "PATH", "SHELL", "TMPDIR", "TMP", "TEMP", "DBUS_SESSION_BUS_ADDRESS"})
"""Variables of the allowlist that describe the sandbox. Outside of it they have other values."""
SANDBOX_PREFIXES = frozenset({"XDG_"})


def build(build: Build) -> Path:
    """Prepare the files and the manifest, and pack them if the SDK is installed. Returns the folder or the Flatpak."""
    project = build.project
    folder = build.output / "flatpak"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    fill_prefix(project, build.artefacts["bundle"], folder / "files")
    manifest = folder / f"{project.app_id}.yaml"
    write_text(manifest, render_manifest(project))
    if not has_sdk():
        report(f"flatpak: {folder} is not packed: run `flatpak install flathub {SDK}` and build again")
        return folder
    packed = build.output / f"{project.name}-{project.version}-{platform.machine()}.flatpak"
    pack(project, manifest, packed, build.work_dir("flatpak"))
    return packed


def has_sdk() -> bool:
    """Whether flatpak-builder can be run."""
    if shutil.which("flatpak-builder") is None or shutil.which("flatpak") is None:
        return False
    return subprocess.run(["flatpak", "info", SDK], capture_output=True).returncode == 0


def pack(project: Project, manifest: Path, target: Path, work: Path) -> None:
    """Pack what the manifest names as one file that `flatpak install` takes. Raises BuildFailed."""
    repository = str(work / "repository")
    # Without FUSE, which containers lack; it only guards a cache of builds, and there is none.
    options = ["--force-clean", "--disable-rofiles-fuse", f"--state-dir={work / 'state'}", f"--repo={repository}"]
    commands = (
        ["flatpak-builder", *options, str(work / "build"), str(manifest)],
        ["flatpak", "build-bundle", repository, str(target), project.app_id],
    )
    for command in commands:
        made = subprocess.run(command, capture_output=True, text=True)
        if made.returncode:
            raise BuildFailed(f"{' '.join(command)} failed:\n{made.stdout}{made.stderr}")


def render_manifest(project: Project) -> str:
    """Render the manifest, which names the folder `files` beside it."""
    template = Template((TEMPLATES / "manifest.yaml.in").read_text(encoding="utf-8"))
    return template.substitute(app_id=project.app_id, name=project.name, version=SDK.rpartition("/")[2])


def render_wrapper() -> str:
    """Render the script that runs `claude` outside, with the variables that the program sets for it."""
    names = sorted({*PASSED, *SET} - SANDBOX_VARIABLES)
    prefixes = [f"{prefix}*" for prefix in PASSED_PREFIXES if prefix not in SANDBOX_PREFIXES]
    # Windows has variables that are no names here.
    patterns = textwrap.wrap(" | ".join([*filter(str.isidentifier, names), *prefixes]), 100, break_on_hyphens=False)
    return Template((TEMPLATES / "claude.in").read_text(encoding="utf-8")).substitute(
        variables=" \\\n        ".join(patterns)
    )


def fill_prefix(project: Project, bundle: Path, prefix: Path) -> None:
    """Fill the folder that is /app in the sandbox."""
    program_dir = prefix / "lib" / project.name
    shutil.copytree(bundle, program_dir, symlinks=True)
    install_desktop_files(project, prefix)
    install_documents(project, prefix)
    name_files_by_id(project, prefix)
    commands = prefix / "bin"
    commands.mkdir()
    start = program(program_dir)
    (commands / project.name).symlink_to(Path("..") / start.relative_to(prefix))
    wrapper = commands / "claude"
    write_text(wrapper, render_wrapper())
    wrapper.chmod(0o755)


def name_files_by_id(project: Project, prefix: Path) -> None:
    """Rename what desktops see after the application's id: of other files Flatpak exports none."""
    entry = desktop_file(project, prefix)
    renamed = entry.with_name(f"{project.app_id}.desktop")
    text = entry.read_text(encoding="utf-8").replace(f"\nIcon={project.name}\n", f"\nIcon={project.app_id}\n")
    write_text(renamed, text)
    metainfo = metainfo_file(project, prefix)
    write_text(metainfo, metainfo.read_text(encoding="utf-8").replace(f">{entry.name}<", f">{renamed.name}<"))
    entry.unlink()
    for icon in list((prefix / "share" / "icons").rglob(f"{project.name}.*")):
        icon.rename(icon.with_stem(project.app_id))


def check(build: Build, artefact: Path) -> None:
    """Validate manifest, desktop entry, metainfo and wrapper. Raises BuildFailed."""
    project, folder = build.project, build.output / "flatpak"
    manifest, prefix = folder / f"{project.app_id}.yaml", folder / "files"
    run_checker("flatpak-builder", "flatpak-builder", "--show-manifest", str(manifest))
    run_checker(
        "desktop-file-validate", "desktop-file-utils", str(prefix / f"share/applications/{project.app_id}.desktop")
    )
    run_checker("appstreamcli", "appstream", "validate", "--no-net", "--pedantic", str(metainfo_file(project, prefix)))
    run_checker("bash", "bash", "-n", str(prefix / "bin" / "claude"))
    if artefact == folder:
        report("flatpak: neither packed nor run")


def missing() -> str | None:
    """What this system lacks to prepare the files, or None."""
    return None if sys.platform == "linux" else "Flatpaks are built on Linux"


SUMMARY = "Flatpak, or its files and manifest where the SDK is missing"
KIND = Kind("flatpak", SUMMARY, build, check, needs=("bundle",), missing=missing)
