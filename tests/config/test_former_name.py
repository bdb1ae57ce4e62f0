"""Migration of folders and secrets from the program's former name."""

import logging
from pathlib import Path

import pytest

from server.config import former_name
from server.config.paths import default_config_dir, default_data_dir
from server.core.errors import SetupError
from server.secrets.storage import MemoryStorage


def former(folder: Path) -> Path:
    return folder.with_name(former_name.FORMER_APP_NAME)


@pytest.fixture(params=[default_data_dir, default_config_dir], ids=["data", "configuration"])
def folder(request: pytest.FixtureRequest) -> Path:
    """The new path of a folder that still has its former name."""
    place: Path = request.param()
    (former(place) / "claude").mkdir(parents=True)
    (former(place) / "history.db").write_bytes(b"rows")
    return place


def test_a_folder_is_moved_once_and_said_in_the_log(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    former_name.move_folders()
    assert (folder / "history.db").read_bytes() == b"rows"
    assert (folder / "claude").is_dir()
    assert not former(folder).exists()
    with caplog.at_level(logging.INFO):
        former_name.log_changes({})
        former_name.log_changes({})
    assert [str(folder) in message for message in caplog.messages] == [True]


def test_what_there_is_already_is_left_as_it_is(folder: Path) -> None:
    folder.mkdir(parents=True)
    former_name.move_folders()
    assert list(folder.iterdir()) == []
    assert (former(folder) / "history.db").read_bytes() == b"rows"


def test_a_folder_that_cannot_be_moved_is_an_error_with_a_remedy(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.symlink_to(folder / "nowhere")  # exists() is false for it, and no folder can take its place
    with pytest.raises(SetupError) as raised:
        former_name.move_folders()
    assert str(folder) in raised.value.message
    assert raised.value.hint
    assert (former(folder) / "history.db").read_bytes() == b"rows"


def test_without_a_former_folder_nothing_happens() -> None:
    former_name.move_folders()
    assert not default_data_dir().exists()
    assert not default_config_dir().exists()


def test_former_variables_are_named(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        former_name.log_changes({"CLAUDE_CODE_TRAY_PORT": "1", "DRAGOMAN_PORT": "2"})
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("CLAUDE_CODE_TRAY_PORT: ")


async def test_secrets_are_copied_once_and_stay_where_they_were(caplog: pytest.LogCaptureFixture) -> None:
    vault, former = MemoryStorage(), MemoryStorage()
    await former.set("api_key", "theirs")
    await former.set("anthropic_api_key", "old")
    await vault.set("anthropic_api_key", "newer")
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            await former_name.copy_secrets(vault, former, ("api_key", "anthropic_api_key", "other"))
    assert [await vault.get(name) for name in ("api_key", "anthropic_api_key", "other")] == ["theirs", "newer", None]
    assert await former.get("api_key") == "theirs"
    assert len(caplog.messages) == 1
    assert "theirs" not in caplog.text
