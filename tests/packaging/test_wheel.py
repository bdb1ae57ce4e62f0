"""The wheel: one name in site-packages, all data files, and a program that starts from it."""

import email
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from kinds import wheel
from project import read_project
from readme_hook import absolute_links
from recipe import Build

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    return Build(read_project(), tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def built(build: Build) -> Path:
    """The wheel; the sdist lies beside it."""
    return wheel.build(build)


def test_the_wheel_is_accepted_by_pypi_and_adds_one_name(build: Build, built: Path) -> None:
    wheel.check(build, built)
    assert wheel.top_level_names(built) == {"dragoman"}


def test_the_wheel_holds_the_program_and_its_resources(built: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        names = set(archive.namelist())
    resources = {path.relative_to(ROOT).as_posix() for path in (ROOT / "resources").rglob("*") if path.is_file()}
    assert len(resources) > 5
    assert {f"dragoman/tray_app/{name}" for name in resources} <= names
    tops = ("server", "tray_app")
    files = [path for top in tops for path in (ROOT / top).rglob("*") if path.suffix in {".py", ".sql"}]
    assert {f"dragoman/{path.relative_to(ROOT).as_posix()}" for path in files} <= names
    assert "dragoman/py.typed" in names


def test_the_sdist_holds_the_checkout(build: Build, built: Path) -> None:
    # The wheel is made from it, so that it has all of the program; pictures, recipes and tests are there as well.
    with tarfile.open(built.with_name(f"dragoman-{build.project.version}.tar.gz")) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    some = {"docs/screenshots/overview-light.png", "packaging/make.py", "tests/conftest.py", ".ci/run"}
    assert some | {".github/workflows/release.yml"} <= names


def test_the_metadata_is_complete(build: Build, built: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(name))
    assert metadata["Name"] == "dragoman"
    assert metadata.get_all("Project-URL") == [f"Repository, {build.project.repository}"]
    assert metadata["Keywords"]
    assert "Typing :: Typed" in metadata.get_all("Classifier", [])
    # Dependencies of developers are a group, which is not published.
    assert set(metadata.get_all("Provides-Extra", [])) == {"tray", "bundled-cli", "otel"}
    page = metadata.get_payload()
    assert isinstance(page, str)
    assert f'src="{build.project.repository}/raw/v{build.project.version}/docs/screenshots/' in page
    assert "](CONTRIBUTING.md)" not in page


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[a](docs/a.md)", "[a](https://h/d/blob/v1/docs/a.md)"),
        ('<img src="b.png">', '<img src="https://h/d/raw/v1/b.png">'),
        ("[a](#part)", "[a](#part)"),
        ("[a](https://x.org/y)", "[a](https://x.org/y)"),
    ],
)
def test_relative_links_become_absolute(before: str, after: str) -> None:
    assert absolute_links(before, "https://h/d", "v1") == after


def test_the_unpacked_wheel_starts_beside_other_packages_of_its_general_names(built: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        archive.extractall(tmp_path)  # noqa: S202 - our own wheel
    for name in ("server", "tray_app"):  # those of another distribution
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('another package was imported')\n")
    # Isolated from the checkout: only the unpacked wheel and the installed dependencies are on the path.
    paths = [str(tmp_path), *(path for path in sys.path if "site-packages" in path)]
    program = f"import sys; sys.path[:0] = {paths!r}; import runpy; runpy.run_module('dragoman', run_name='__main__')"
    for arguments, expected in (
        (["--version"], read_project().version),
        (["doctor", "--help"], "usage: dragoman doctor"),
    ):
        ran = subprocess.run(
            [sys.executable, "-I", "-S", "-c", program, *arguments],
            cwd=tmp_path,
            env=os.environ | {"HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert ran.returncode == 0, ran.stderr
        assert expected in ran.stdout
