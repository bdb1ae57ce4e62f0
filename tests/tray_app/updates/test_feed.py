"""The feed's address comes from the repository that the metadata names."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tray_app.updates.feed import feed_of_repository, find_release_feed

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    "repository", ["https://github.com/o/n", "https://github.com/o/n/", "https://github.com/o/n.git"]
)
def test_a_repository_on_github_has_a_feed(repository: str) -> None:
    feed = feed_of_repository(repository)
    assert feed is not None
    assert feed.url == "https://api.github.com/repos/o/n/releases?per_page=30"
    assert feed.host == "api.github.com"
    assert feed.page == "https://github.com/o/n/releases"
    assert feed.release_page("v0.2.0") == "https://github.com/o/n/releases/tag/v0.2.0"
    assert feed.release_page("../../evil?#") == "https://github.com/o/n/releases/tag/..%2F..%2Fevil%3F%23"


@pytest.mark.parametrize(
    "repository",
    [
        "",
        "https://dragoman.example/dragoman",
        "http://github.com/o/n",
        "https://github.com/o",
        "https://github.com.example/o/n",
        "github.com/o/n",
        "https://github.com/o/n/tree/main",
        "file:///github.com/o/n",
    ],
)  # fmt: skip
def test_placeholders_and_other_addresses_have_none(repository: str) -> None:
    assert feed_of_repository(repository) is None


def test_the_projects_repository_is_a_placeholder_or_has_a_feed() -> None:
    # A home elsewhere than on GitHub needs its own feed: without it the button would say that there is none.
    repository = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Repository"]
    placeholder = repository.split("/")[2].endswith(".example")
    assert placeholder == (feed_of_repository(repository) is None)
    assert (find_release_feed() is None) == placeholder


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["Project-URL: Repository, https://github.com/o/n"], "https://github.com/o/n"),
        (
            ["Project-URL: Homepage, https://github.com/x/y", "Project-URL: Repository, https://dragoman.example/d"],
            "None",
        ),
        ([], "None"),
    ],
)
def test_the_installed_program_reads_its_own_metadata(tmp_path: Path, lines: list[str], found: str) -> None:
    info = tmp_path / "dragoman-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("\n".join(["Metadata-Version: 2.4", "Name: dragoman", "Version: 0.1.0", *lines, ""]))
    program = "from tray_app.updates.feed import find_release_feed as f; print(f() and f().repository)"
    path = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {program}"
    ran = subprocess.run([sys.executable, "-c", path], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == found


def test_without_metadata_there_is_no_feed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert find_release_feed.__wrapped__() is None
