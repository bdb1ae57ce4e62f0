"""Detection of clients by programs and files."""

from pathlib import Path

import pytest

from tests.systems import INERT
from tray_app.clients.catalogue import CLIENTS
from tray_app.clients.client import Client, Places
from tray_app.clients.detection import is_installed

BY_ID = {client.id: client for client in CLIENTS}


def program(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(INERT)
    path.chmod(0o755)


def bare(client: Client) -> bool:
    """Whether a client has no traces in directories of this machine."""
    return client.id not in ("curl", "node", "zed", "vscode")


@pytest.mark.parametrize("client", [one for one in CLIENTS if one.traces and bare(one)], ids=lambda one: one.id)
def test_nothing_is_found_on_an_empty_computer(client: Client, places: Places) -> None:
    assert is_installed(client, places) is False


@pytest.mark.parametrize("client", ["jetbrains", "python"])
def test_client_without_traces_is_unknown(client: str, places: Places) -> None:
    assert is_installed(BY_ID[client], places) is None


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
def test_program_or_file_is_found(client: str, trace: str, places: Places) -> None:
    program(places.home / trace)
    assert is_installed(BY_ID[client], places) is True
