"""The disk image for macOS: the application beside a link to Applications."""

import os
import sys
import tempfile
from pathlib import Path

from kinds.macos_app import architecture, missing, program
from macos.signing import read_signing, run, sign_image
from recipe import Build, BuildFailed, Kind
from smoke import SmokeFailed, run_smoke_test

SETTINGS = Path(__file__).parents[1] / "macos" / "dmg_settings.py"


def build(build: Build) -> Path:
    """Build and sign the image. Returns it."""
    project = build.project
    image = build.output / f"{project.name}-{project.version}-macos-{architecture()}.dmg"
    image.unlink(missing_ok=True)
    run(image_command(build.artefacts["macos-app"], project.title, image))
    sign_image(image, read_signing(os.environ))
    return image


def image_command(app: Path, title: str, image: Path) -> list[str]:
    """The command that makes the image."""
    return [sys.executable, "-m", "dmgbuild", "--settings", str(SETTINGS), "-D", f"app={app}", title, str(image)]


def attach_command(image: Path, folder: Path) -> list[str]:
    """The command that mounts an image at `folder`, hidden from Finder."""
    return ["hdiutil", "attach", "-nobrowse", "-readonly", "-mountpoint", str(folder), str(image)]


def assess_command(image: Path) -> list[str]:
    """The command that asks macOS whether it opens an image that came from the network."""
    return ["spctl", "--assess", "--type", "open", "--context", "context:primary-signature", str(image)]


def check(build: Build, image: Path) -> None:
    """Run the program from the mounted image, and ask macOS whether it opens a notarised one."""
    app = build.artefacts["macos-app"].name
    with tempfile.TemporaryDirectory() as directory:
        run(attach_command(image, Path(directory)))
        try:
            if not (Path(directory) / "Applications").is_symlink():
                raise BuildFailed(f"{image.name} has no link to Applications")
            run_smoke_test([str(program(Path(directory) / app, build.project.name))])
        except SmokeFailed as error:
            raise BuildFailed(f"the application in the image does not work: {error}") from error
        finally:
            run(["hdiutil", "detach", "-force", directory])
    if read_signing(os.environ).notary:
        run(assess_command(image))


KIND = Kind("macos-dmg", "disk image for macOS", build, check, needs=("macos-app",), missing=missing)
