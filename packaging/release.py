"""Prepares a release: `dev.py release [--dry-run] VERSION`.

Sets the version, dates the changelog's section, commits both and tags the commit; the first release also puts the
repository's address into the README. Nothing is pushed: pushing the tag
starts the release workflow, which takes the notes from `dev.py release --notes TAG`. Interrupted before its commit, it
leaves two changed files, which it then names; after it, the same command adds the missing tag.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from changelog import UNRELEASED, date_unreleased, list_sections, read_section
from packaging.version import InvalidVersion, Version
from project import ADDRESS_PLACEHOLDER, ROOT, UNDECIDED, VERSION_LINE, Project, fill_address, read_project

BRANCH = "main"
CHANGELOG = "CHANGELOG.md"
README = "README.md"
VERSION_FILE = "server/__init__.py"
FILES = (CHANGELOG, README, VERSION_FILE)
"""What a release may change."""


class ReleaseRefused(Exception):
    """The release cannot be prepared. The text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a release changes: new contents by file, empty if they are committed already; and the tag's message."""

    version: str
    files: Mapping[str, str]
    notes: str

    @property
    def tag(self) -> str:
        """The name of the tag."""
        return f"v{self.version}"


class Repository:
    """A checkout, through git's own commands."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def git(self, *arguments: str, given: str | None = None) -> str:
        """Run git and return its output. Raises ReleaseRefused with git's message if it fails."""
        ran = subprocess.run(
            ["git", *arguments], cwd=self.root, input=given, capture_output=True, text=True, encoding="utf-8"
        )
        if ran.returncode:
            raise ReleaseRefused(f"`git {' '.join(arguments[:2])}` failed: {(ran.stderr or ran.stdout).strip()}")
        return ran.stdout

    def read(self, name: str) -> str:
        """Read a file as the last commit has it."""
        return self.git("show", f"HEAD:{name}")

    def changes(self) -> list[str]:
        """Paths of files that differ from the last commit, and of new ones that are not ignored."""
        listed = self.git("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all")
        return [entry[3:] for entry in listed.split("\0") if entry]

    def branch(self) -> str:
        """Name of the current branch, `HEAD` if there is none."""
        return self.git("rev-parse", "--abbrev-ref", "HEAD").strip()

    def tagged_versions(self) -> list[Version]:
        """Versions that have a tag."""
        versions = []
        for tag in self.git("tag", "--list", "v*").split():
            try:
                versions.append(Version(tag))
            except InvalidVersion:
                continue
        return versions

    def remote(self) -> str:
        """The remote to push to."""
        remotes = self.git("remote").split()
        return remotes[0] if len(remotes) == 1 else "origin"


def parse_version(text: str) -> Version:
    """Parse a version in the normal form of PEP 440. Raises ReleaseRefused."""
    try:
        version = Version(text)
    except InvalidVersion:
        raise ReleaseRefused(f"{text!r} is not a version of PEP 440: write it like 1.2.0 or 1.2.0rc1") from None
    if version.local is not None:
        raise ReleaseRefused(f"{text!r} has a local part, which PyPI refuses: write {version.public}")
    if str(version) != text:
        raise ReleaseRefused(f"{text!r} is not in normal form: write {version}")
    return version


def find_problems(version: Version, project: Project, repository: Repository) -> list[str]:
    """List every reason against the release; each says what to do."""
    problems = []
    if not project.has_home:
        problems.append(
            f"the project has no home yet: {project.repository} ends in {UNDECIDED}, and links, packages and the "
            "application id derive from it. Set Repository under [project.urls] in pyproject.toml first"
        )
    if project.repository not in (readme := repository.read(README)) and ADDRESS_PLACEHOLDER not in readme:
        problems.append(f"{README} names another repository than {project.repository}: correct its line `git clone`")
    if (branch := repository.branch()) != BRANCH:
        problems.append(f"the branch is {branch}: releases are made on {BRANCH}. `git switch {BRANCH}`")
    if changes := repository.changes():
        problems.append(f"the checkout has changes: {_enumerate(changes)}. Commit or discard them")
        if set(changes) <= set(FILES):
            problems[-1] += f"; those of an interrupted release go with `git restore {' '.join(changes)}`"
    tagged = repository.tagged_versions()
    if tagged and version <= max(tagged):
        problems.append(f"{version} is not newer than the latest tag, v{max(tagged)}")
    # Equal is in order: the first release has the version that the source names from the start.
    elif version < Version(project.version):
        problems.append(f"{version} is older than {project.version}, which {VERSION_FILE} names")
    return problems


def _enumerate(paths: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(paths[:most])
    return f"{shown} and {len(paths) - most} more" if len(paths) > most else shown


def make_plan(version: str, project: Project, repository: Repository, day: date) -> Plan:
    """Plan the release from what is committed. Raises ReleaseRefused if the changelog has nothing to release."""
    source, changelog = repository.read(VERSION_FILE), repository.read(CHANGELOG)
    try:
        sections = list_sections(changelog)
        named = VERSION_LINE.search(source)
        if version in sections and not sections.get(UNRELEASED) and named is not None and named[1] == version:
            return Plan(version, {}, sections[version])  # committed, then interrupted before the tag
        dated = date_unreleased(changelog, version, day)
    except ValueError as error:
        raise ReleaseRefused(str(error)) from error
    changed = {
        VERSION_FILE: VERSION_LINE.sub(f'__version__ = "{version}"', source, count=1),
        CHANGELOG: dated,
        README: fill_address(repository.read(README), project.repository),
    }
    files = {name: text for name, text in changed.items() if text != repository.read(name)}
    return Plan(version, files, list_sections(dated)[version])


def carry_out(plan: Plan, project: Project, repository: Repository) -> None:
    """Write, commit and tag. Raises ReleaseRefused; the files are then as they were."""
    if plan.files:
        try:
            for name, text in plan.files.items():
                _replace(repository.root / name, text)
            repository.git("commit", "--message", commit_message(plan), "--", *plan.files)
        except BaseException:
            repository.git("restore", "--staged", "--worktree", "--", *plan.files)
            raise
    # Verbatim, because git takes the notes' headings for comments.
    message = f"{project.title} {plan.version}\n\n{plan.notes}\n"
    repository.git("tag", "--annotate", "--cleanup=verbatim", "--file=-", plan.tag, given=message)


def _replace(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8", newline="")
    os.replace(partial, path)


def commit_message(plan: Plan) -> str:
    """The subject of the release's commit."""
    return f"release: {plan.version}"


def describe(plan: Plan, repository: Repository) -> Iterable[str]:
    """Lines that tell what `carry_out` does."""
    for name, text in plan.files.items():
        before = repository.read(name).splitlines()
        yield f"change {name}:"
        yield from (f"    + {line}" for line in text.splitlines() if line and line not in before)
    if plan.files:
        yield f"commit {', '.join(plan.files)} as {commit_message(plan)!r}"
    yield f"tag the commit {plan.tag}, with these notes:"
    yield from (f"    {line}".rstrip() for line in plan.notes.splitlines())


def read_notes(tag: str, project: Project, root: Path) -> str:
    """The notes of the release that a checkout is at. Raises ReleaseRefused if its tag is another one."""
    if tag != project.tag:
        raise ReleaseRefused(
            f"the tag {tag} does not fit: {VERSION_FILE} has {project.version}, so it is {project.tag}"
        )
    try:
        return read_section((root / CHANGELOG).read_text(encoding="utf-8"), project.version)
    except ValueError as error:
        raise ReleaseRefused(str(error)) from error


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Prepare the release that the command line names, or print its notes. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="dev.py release", description=__doc__)
    wanted = parser.add_mutually_exclusive_group(required=True)
    wanted.add_argument("version", nargs="?", metavar="VERSION", help="in the form of PEP 440: 1.2.0 or 1.2.0rc1")
    wanted.add_argument("--notes", metavar="TAG", help="print the notes of TAG, which must be this checkout's")
    parser.add_argument("--dry-run", action="store_true", help="check everything and show the changes; make none")
    chosen = parser.parse_args(arguments)
    repository = Repository(root)
    try:
        project = read_project(root)
        if chosen.notes:
            print(read_notes(chosen.notes, project, root))
            return 0
        version = parse_version(chosen.version)
        problems = find_problems(version, project, repository)
        for problem in problems:
            print(f"release: {problem}", file=sys.stderr)
        if problems and not chosen.dry_run:
            return 1
        plan = make_plan(chosen.version, project, repository, datetime.now(UTC).date())
        for line in describe(plan, repository):
            print(line)
        if not chosen.dry_run:
            carry_out(plan, project, repository)
    except ReleaseRefused as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    push = f"git push --atomic {repository.remote()} {BRANCH} {plan.tag}"
    print(f"{'would be ' if chosen.dry_run else ''}ready; nothing is pushed. To publish: {push}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
