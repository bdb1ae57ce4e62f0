"""What a user without Claude Code is told."""

import sys
import tomllib

import pytest
from packaging.requirements import Requirement

import dev
from server.backends.claude_cli.transport import install_hint
from server.backends.claude_cli.transport.install_hint import describe_install, has_bundled_cli

SYSTEMS = [
    ("linux", "x86_64", True),
    ("linux", "aarch64", True),
    ("linux", "armv7l", False),
    ("linux", "riscv64", False),
    ("darwin", "arm64", True),
    ("darwin", "x86_64", False),
    ("win32", "AMD64", True),
    ("win32", "ARM64", False),
    ("freebsd14", "amd64", False),
]


@pytest.mark.parametrize(("system", "machine", "has"), SYSTEMS)
def test_the_extra_is_offered_where_its_markers_install_something(system, machine, has):
    project = tomllib.loads((dev.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extra = [Requirement(line) for line in project["optional-dependencies"]["bundled-cli"]]
    system_of_markers = {"sys_platform": system, "platform_machine": machine}
    installed = [one for one in extra if one.marker is None or one.marker.evaluate(system_of_markers)]
    assert len(installed) == has
    assert has_bundled_cli(system, machine, "glibc") is has


def test_the_extra_has_no_wheel_for_musl():
    assert not has_bundled_cli("linux", "x86_64", "")


@pytest.mark.parametrize(
    ("system", "line", "shell"),
    [
        ("linux", "curl -fsSL https://claude.ai/install.sh | bash", "a terminal"),
        ("darwin", "curl -fsSL https://claude.ai/install.sh | bash", "a terminal"),
        ("win32", "irm https://claude.ai/install.ps1 | iex", "PowerShell"),
    ],
)
@pytest.mark.parametrize("with_extra", [True, False])
def test_the_hint_has_the_systems_line_and_the_extra_only_where_it_can_be_had(system, line, shell, with_extra):
    hint = describe_install(system, with_extra=with_extra)
    assert f"`{line}` in {shell}" in hint
    assert ("bundled-cli" in hint) is with_extra
    assert "claude_path" in hint


def test_a_bundle_offers_no_extra(monkeypatch):
    monkeypatch.setattr(install_hint, "has_bundled_cli", lambda: True)
    assert "bundled-cli" in install_hint.install_hint()
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert "bundled-cli" not in install_hint.install_hint()
    assert "claude.ai/install" in install_hint.install_hint()
