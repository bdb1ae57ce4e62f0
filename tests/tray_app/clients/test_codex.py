"""Codex's two files: its configuration, and the catalogue of models that it names."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from tests.scripted_backend import MODELS
from tray_app.clients.backups import Backups
from tray_app.clients.catalogue.codex import CODEX, CONFIGURATION, MODELS_FILE
from tray_app.clients.catalogue.codex_models import make_catalogue
from tray_app.clients.client import Places
from tray_app.clients.config_file import (
    FileChange,
    apply_change,
    is_untouched_since,
    prepare_change,
    prepare_undo,
    read_state,
)
from tray_app.clients.connection import Connection
from tray_app.clients.errors import ClientFileChanged, ClientFileUnwritable
from tray_app.clients.models import limits_of, list_offers

ALIASES = {"smart": "opus:high > haiku", "lost": "nowhere"}
MINE = 'approval_policy = "on-request" # careful\nmodel_reasoning_effort = "high"\n'


@pytest.fixture
def connection() -> Connection:
    limits, offers = limits_of("opus", MODELS, ALIASES), list_offers(MODELS, ALIASES)
    return Connection("http://127.0.0.1:8000", "dgm-the-key", "opus", limits, offers)


class Desk:
    """Codex's folder, and the operations on it."""

    def __init__(self, connection: Connection, places: Places, backups: Backups) -> None:
        self.connection, self.places, self.backups = connection, places, backups
        self.config = places.home / ".codex" / "config.toml"
        self.models = places.home / ".codex" / MODELS_FILE
        self.config.parent.mkdir()
        self.now = 1000.0

    def prepare_change(self) -> FileChange:
        return prepare_change(CODEX, CONFIGURATION, self.connection, self.places)

    def apply_change(self, change: FileChange) -> None:
        self.now += 1
        apply_change(change, self.backups, at=self.now)

    def undo_change(self) -> FileChange:
        last = self.backups.find_last(CODEX.id, self.config)
        assert last is not None
        return prepare_undo(last, self.backups)

    def state(self, monkeypatch: pytest.MonkeyPatch) -> str:
        monkeypatch.setattr(type(CODEX), "is_served", True)
        file = read_state(CODEX, self.connection, self.places, self.backups)
        assert file is not None
        return file.state.kind


@pytest.fixture
def desk(connection: Connection, places: Places, backups: Backups) -> Desk:
    return Desk(connection, places, backups)


def entries(text: str) -> dict[str, dict[str, Any]]:
    return {entry["slug"]: entry for entry in json.loads(text)["models"]}


def test_the_catalogue_has_each_models_true_window_and_efforts(connection: Connection) -> None:
    found = entries(make_catalogue(connection))
    assert list(found) == ["opus", "sonnet", "haiku", "smart"], "the chosen one first, none that leads nowhere"
    assert [entry["context_window"] for entry in found.values()] == [1_000_000, 1_000_000, 200_000, 200_000]
    assert [entry["priority"] for entry in found.values()] == [1, 2, 3, 4]
    assert found["opus"]["display_name"] == "Opus 5.5"
    assert [level["effort"] for level in found["opus"]["supported_reasoning_levels"]] == ["low", "high"]
    assert [level["effort"] for level in found["haiku"]["supported_reasoning_levels"]] == ["low", "medium", "high"]
    assert {entry["apply_patch_tool_type"] for entry in found.values()} == {"freeform"}


def test_a_chosen_model_that_is_not_listed_is_in_the_catalogue(connection: Connection) -> None:
    found = entries(make_catalogue(replace(connection, model="claude-opus-4-8:xhigh")))
    assert next(iter(found)) == "claude-opus-4-8:xhigh"
    assert found["claude-opus-4-8:xhigh"]["default_reasoning_level"] == "xhigh"


def test_the_configuration_has_the_limits_and_names_the_catalogue(desk: Desk) -> None:
    desk.config.write_text(MINE)
    desk.apply_change(desk.prepare_change())
    config = tomlkit.parse(desk.config.read_text()).unwrap()
    assert (config["model_context_window"], config["model_auto_compact_token_limit"]) == (1_000_000, 872_000)
    assert config["model_reasoning_effort"] == "high", "the user's own stays"
    provider = config["model_providers"]["dragoman"]
    assert (provider["wire_api"], provider["request_max_retries"], provider["stream_max_retries"]) == (
        "responses",
        2,
        2,
    )
    assert provider["stream_idle_timeout_ms"] == 600_000
    assert (desk.config.parent / config["model_catalog_json"]).read_text() == make_catalogue(desk.connection)


def test_both_files_are_shown_written_and_restored(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.config.write_text(MINE)
    change = desk.prepare_change()
    assert str(desk.config) in change.diff
    assert str(desk.models) in change.diff
    desk.apply_change(change)
    assert desk.state(monkeypatch) == "configured"
    assert not desk.prepare_change().is_needed
    undo = desk.undo_change()
    assert is_untouched_since(undo)
    desk.apply_change(undo)
    assert desk.config.read_text() == MINE
    assert not desk.models.exists()
    assert desk.state(monkeypatch) == "absent"


def test_a_second_change_is_undone_to_the_first(desk: Desk) -> None:
    desk.apply_change(desk.prepare_change())
    first = desk.config.read_text(), desk.models.read_text()
    desk.connection = replace(desk.connection, model="haiku")
    desk.apply_change(desk.prepare_change())
    assert (desk.config.read_text(), desk.models.read_text()) != first
    desk.apply_change(desk.undo_change())
    assert (desk.config.read_text(), desk.models.read_text()) == first
    desk.apply_change(desk.undo_change())
    assert not desk.config.exists()
    assert not desk.models.exists()


def test_a_catalogue_that_was_deleted_is_written_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.apply_change(desk.prepare_change())
    desk.models.unlink()
    assert desk.state(monkeypatch) == "outdated", "Codex does not start without it"
    change = desk.prepare_change()
    assert change.is_needed
    desk.apply_change(change)
    assert desk.models.read_text() == make_catalogue(desk.connection)


def test_a_changed_catalogue_is_not_untouched(desk: Desk) -> None:
    desk.apply_change(desk.prepare_change())
    desk.models.write_text("mine")
    assert not is_untouched_since(desk.undo_change())


def test_a_catalogue_that_changes_meanwhile_stops_both(desk: Desk) -> None:
    change = desk.prepare_change()
    desk.models.write_text("mine")
    with pytest.raises(ClientFileChanged):
        desk.apply_change(change)
    assert not desk.config.exists()


def test_a_configuration_that_cannot_be_written_takes_the_catalogue_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = desk.prepare_change()

    def fail(path: Path, data: bytes) -> None:
        if path.name == "config.toml":
            raise OSError(28, "No space left on device")
        path.write_bytes(data)

    monkeypatch.setattr("tray_app.clients.config_file.write_private", fail)
    with pytest.raises(ClientFileUnwritable, match="no space left"):
        desk.apply_change(change)
    assert not desk.models.exists()
    assert not desk.config.exists()
    assert desk.backups.find_last(CODEX.id, desk.models) is None
