"""A client is here if its program or its files are; where nothing tells, nothing is said."""

from pathlib import Path

import pytest

from tray_app.clients.catalogue import CLIENTS
from tray_app.clients.client import Client, Places
from tray_app.clients.detection import is_here

BY_ID = {client.id: client for client in CLIENTS}


def program(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)


def bare(client: Client) -> bool:
    """Without what this machine itself may have."""
    return client.id not in ("curl", "node", "zed", "vscode")


@pytest.mark.parametrize("client", [one for one in CLIENTS if one.traces and bare(one)], ids=lambda one: one.id)
def test_nothing_is_found_in_an_empty_place(client: Client, places: Places) -> None:
    assert is_here(client, places) is False


@pytest.mark.parametrize("client", ["jetbrains", "python"])
def test_what_cannot_be_told_is_not_claimed(client: str, places: Places) -> None:
    assert is_here(BY_ID[client], places) is None


@pytest.mark.parametrize(
    ("client", "trace"),
    [
        ("aider", "empty/aider"),
        ("aider", ".local/bin/aider"),
        ("opencode", ".opencode/bin/opencode"),
        ("codex", ".npm-global/bin/codex"),
        ("cline", ".vscode/extensions/saoudrizwan.claude-dev-3.40.0/package.json"),
        ("continue", ".vscode/extensions/continue.continue-1.2.0/package.json"),
        ("continue", ".continue/config.yaml"),
        ("zed", ".config/zed/settings.json"),
    ],
)
def test_a_program_or_a_file_tells(client: str, trace: str, places: Places) -> None:
    program(places.home / trace)
    assert is_here(BY_ID[client], places) is True
