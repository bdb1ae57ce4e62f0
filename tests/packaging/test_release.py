"""`dev.py release` in real repositories."""

import subprocess
from datetime import date
from pathlib import Path

import pytest
import release
from changelog import date_unreleased, read_section
from project import ADDRESS_PLACEHOLDER, ROOT, fill_address, read_project

from tests.systems import posix_only

CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n\n## [0.1.0] - 2026-01-02\n\n- The first.\n"
HOME = "https://github.com/somebody/dragoman"
FACTS = """[project]
name = "dragoman"
description = "A program."
license = "MIT"
authors = [{{ name = "Somebody" }}]
keywords = []
urls = {{ Repository = "{home}" }}
"""


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository whose version 0.1.0 is tagged, with changes to release."""
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / "__init__.py").write_text('"""Server."""\n\n__version__ = "0.1.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / "README.md").write_text(f"git clone {HOME} dragoman\n")
    (tmp_path / "pyproject.toml").write_text(FACTS.format(home=HOME))
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    git(tmp_path, "config", "user.name", "Somebody")
    git(tmp_path, "config", "user.email", "somebody@dragoman.example")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    git(tmp_path, "tag", "v0.1.0")
    return tmp_path


def test_a_release_is_committed_and_tagged_and_not_pushed(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert release.main(["0.2.0"], checkout) == 0
    assert '__version__ = "0.2.0"' in git(checkout, "show", "v0.2.0:server/__init__.py")
    assert "## [Unreleased]\n\n## [0.2.0] - 20" in git(checkout, "show", "v0.2.0:CHANGELOG.md")
    assert git(checkout, "cat-file", "-t", "v0.2.0") == "tag"
    assert "### Added\n\n- A thing." in git(checkout, "tag", "--list", "--format=%(contents)", "v0.2.0")
    assert git(checkout, "status", "--porcelain") == ""
    assert "git push --atomic origin main v0.2.0" in capsys.readouterr().out


def test_a_dry_run_changes_nothing(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert release.main(["--dry-run", "0.2.0"], checkout) == 0
    assert "tag the commit v0.2.0" in capsys.readouterr().out
    assert git(checkout, "status", "--porcelain") == ""
    assert git(checkout, "tag") == "v0.1.0"


def test_the_notes_of_a_tag_are_its_section(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert release.main(["0.2.0rc1"], checkout) == 0
    capsys.readouterr()
    assert release.main(["--notes", "v0.2.0rc1"], checkout) == 0
    assert capsys.readouterr().out == "### Added\n\n- A thing.\n"


@pytest.mark.parametrize(
    ("tag", "told"),
    [
        ("v0.2.0", "the tag v0.2.0 does not fit: server/__init__.py has 0.1.0, so it is v0.1.0"),
        ("0.1.0", "so it is v0.1.0"),
        ("v0.1.0", "CHANGELOG.md has no section [0.1.0]"),
    ],
)
def test_a_tag_that_is_not_the_checkouts_has_no_notes(
    checkout: Path, capsys: pytest.CaptureFixture[str], tag: str, told: str
) -> None:
    (checkout / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n")
    assert release.main(["--notes", tag], checkout) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert told in captured.err


def test_a_release_interrupted_before_its_tag_is_finished(checkout: Path) -> None:
    assert release.main(["0.2.0"], checkout) == 0
    git(checkout, "tag", "--delete", "v0.2.0")
    head = git(checkout, "rev-parse", "HEAD")
    assert release.main(["0.2.0"], checkout) == 0
    assert git(checkout, "rev-parse", "v0.2.0^{commit}") == head


@pytest.mark.parametrize("version", ["1", "v1.0.0", "1.0.0+local", "one", "0.1.0", "0.0.9"])
def test_invalid_and_older_versions_are_refused(checkout: Path, version: str) -> None:
    head = git(checkout, "rev-parse", "HEAD")
    if version == "1":
        git(checkout, "tag", "v2.0.0")
    assert release.main([version], checkout) == 1
    assert git(checkout, "rev-parse", "HEAD") == head


def test_changes_another_branch_and_a_placeholder_are_refused(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "pyproject.toml").write_text(FACTS.format(home="https://dragoman.example/dragoman"))
    git(checkout, "switch", "--quiet", "--create", "other")
    assert release.main(["0.2.0"], checkout) == 1
    told = capsys.readouterr().err
    for words in ("the project has no home yet", "the branch is other", "the checkout has changes: pyproject.toml"):
        assert words in told


@posix_only("scripts as programs")
def test_a_refused_commit_restores_the_files(checkout: Path) -> None:
    hook = checkout / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    assert release.main(["0.2.0"], checkout) == 1
    assert git(checkout, "status", "--porcelain") == ""


def test_an_empty_changelog_is_refused() -> None:
    dated = date_unreleased(CHANGELOG, "0.2.0", date(2026, 3, 4))
    assert read_section(dated, "0.2.0") == "### Added\n\n- A thing."
    with pytest.raises(ValueError, match="has no entry"):
        date_unreleased(dated, "0.3.0", date(2026, 3, 5))


def test_the_first_release_puts_the_address_into_the_readme(checkout: Path) -> None:
    (checkout / "README.md").write_text("# Dragoman\n\ngit clone URL-OF-THIS-REPOSITORY dragoman && cd dragoman\n")
    git(checkout, "commit", "--quiet", "--all", "--message", "readme")
    assert release.main(["0.2.0"], checkout) == 0
    readme = git(checkout, "show", "v0.2.0:README.md")
    assert readme == f"# Dragoman\n\ngit clone {HOME} dragoman && cd dragoman"
    assert git(checkout, "status", "--porcelain") == ""


def test_a_readme_that_names_another_repository_is_refused(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (checkout / "README.md").write_text("git clone https://github.com/somebody/former dragoman\n")
    git(checkout, "commit", "--quiet", "--all", "--message", "readme")
    assert release.main(["0.2.0"], checkout) == 1
    assert "README.md names another repository" in capsys.readouterr().err


def test_no_address_is_filled_in_before_it_is_decided() -> None:
    text = "git clone URL-OF-THIS-REPOSITORY dragoman"
    assert fill_address(text, "https://dragoman.example/dragoman") == text
    assert fill_address(text, f"{HOME}/") == f"git clone {HOME} dragoman"


def test_this_readme_has_the_placeholder_or_this_projects_address() -> None:
    project = read_project()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert (ADDRESS_PLACEHOLDER in readme) is not project.has_home
    assert (f"git clone {project.repository} " in readme) is project.has_home
