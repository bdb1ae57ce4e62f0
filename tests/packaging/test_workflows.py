"""The workflows of GitHub Actions: valid, pinned, and of commands and kinds that exist."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import make
import pytest
from claude_agent_sdk import _cli_version
from macos.signing import CERTIFICATE, IDENTITY, NOTARY
from ruamel.yaml import YAML

import dev
from tests.systems import posix_only

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
RELEASE = FOLDER / "release.yml"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the checkers are installed on Linux alone")


def read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = YAML(typ="safe").load(path)
    return document


def steps(path: Path) -> Iterator[dict[str, Any]]:
    for job in read(path)["jobs"].values():
        yield from job["steps"]


def matrix(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of the jobs' matrices that build."""
    for job in read(path)["jobs"].values():
        yield from job.get("strategy", {}).get("matrix", {}).get("include", ())


def run_checker(name: str, *arguments: str) -> None:
    command = [str(Path(sys.executable).with_name(name)), *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_there_is_one_for_checks_and_one_for_releases() -> None:
    assert [path.name for path in WORKFLOWS] == ["ci.yml", "release.yml"]
    assert {step.get("run") for step in steps(FOLDER / "ci.yml")} >= {".ci/run"}


def test_github_accepts_them() -> None:
    run_checker("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *map(str, WORKFLOWS))


def test_an_auditor_finds_nothing() -> None:
    run_checker("zizmor", "--offline", "--no-progress", "--pedantic", *map(str, WORKFLOWS))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_rights_are_granted_to_jobs_and_actions_are_pinned(path: Path) -> None:
    assert read(path)["permissions"] == {}
    used = [line for line in path.read_text().splitlines() if "uses:" in line]
    assert used
    for line in used:
        assert re.search(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


def test_every_command_of_the_project_exists() -> None:
    commands = {
        name
        for path in WORKFLOWS
        for step in steps(path)
        for name in re.findall(r"python dev\.py (\w+)", step.get("run", ""))
    }
    assert commands == {"package", "release"}
    assert commands <= dev.COMMANDS.keys()


def test_every_kind_exists_and_every_system_builds_some() -> None:
    kinds = make.list_kinds()
    lines = list(matrix(RELEASE))
    assert {line["runner"] for line in lines} == {
        *("ubuntu-22.04", "ubuntu-24.04-arm", "windows-2025", "windows-11-arm", "macos-15", "macos-15-intel")
    }
    named = {line["runner"]: line["kinds"].split() for line in lines}
    assert not {kind for names in named.values() for kind in names} - kinds.keys()
    assert all("sbom" in names for names in named.values())
    # One machine publishes the wheel: two would build it with different times.
    assert [line["runner"] for line in lines if line.get("python-packages")] == ["ubuntu-22.04"]
    assert "wheel" in named["ubuntu-22.04"]


def test_every_kind_of_package_is_published() -> None:
    named = {kind for line in matrix(RELEASE) for kind in line["kinds"].split()} | {"checksums"}
    kinds = make.list_kinds()
    needed = {need for kind in kinds.values() for need in kind.needs}
    assert not kinds.keys() - named - needed


def test_the_smoke_test_uses_the_tested_claude_code() -> None:
    versions = re.findall(r"@anthropic-ai/claude-code@(\S+)", RELEASE.read_text())
    assert set(versions) == {_cli_version.__cli_version__}


def test_every_uploaded_package_is_tried_first() -> None:
    for step in steps(RELEASE):
        for command in re.findall(r"dev\.py package .*", step.get("run", "")):
            assert "--check" in command


def test_secrets_are_for_one_job_in_an_environment_of_its_own() -> None:
    jobs = read(RELEASE)["jobs"]
    with_secrets = [name for name, job in jobs.items() if "secrets." in str(job)]
    assert with_secrets == ["build-macos"]
    assert jobs["build-macos"]["environment"] == "apple"
    variables = {name for step in jobs["build-macos"]["steps"] for name in step.get("env", {}) if name != "KINDS"}
    assert variables == {IDENTITY, *CERTIFICATE, *NOTARY}


def test_pypi_is_reached_by_trusted_publishing_from_its_own_environment() -> None:
    job = read(RELEASE)["jobs"]["pypi"]
    assert job["environment"] == "pypi"
    assert job["permissions"] == {"id-token": "write"}
    assert [step["uses"].partition("@")[0] for step in job["steps"]] == [
        *["actions/download-artifact", "pypa/gh-action-pypi-publish"]
    ]


@posix_only("a script as the program")
@pytest.mark.parametrize(("tag", "prerelease"), [("v1.2.0", False), ("v1.2.0rc1", True), ("v2.0.0.dev4", True)])
def test_the_draft_has_all_packages_and_says_whether_it_is_a_release(
    tmp_path: Path, tag: str, prerelease: bool
) -> None:
    (script,) = (step["run"] for step in steps(RELEASE) if "gh release create" in step.get("run", ""))
    program = tmp_path / "gh"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    (tmp_path / "dist" / "work").mkdir(parents=True)
    for name in ("a package.deb", "SHA256SUMS", "work/left"):
        (tmp_path / "dist" / name).touch()
    environment = {"PATH": f"{tmp_path}{os.pathsep}{os.defpath}", "GITHUB_REF_NAME": tag}
    # As GitHub runs a script: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax
    command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script]
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    words = ran.stdout.splitlines()
    assert words[:4] == ["release", "create", tag, "--draft"]
    assert ("--prerelease" in words) is prerelease
    assert sorted(words[-2:]) == ["dist/SHA256SUMS", "dist/a package.deb"]
