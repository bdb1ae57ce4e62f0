import json
import os

import pytest

from server.core.errors import DragomanError
from server.core.records import Session, SessionSummary
from tests.systems import posix_only
from tray_app.models.sessions.export import export_file_name, export_session

SECRET = "sk-ant-api03-abcdefghijklmnopqrstuvwxyz"
SUMMARY = SessionSummary("ses_1", "Größe: a/b?", "ide/1", "opus", 0.0, 0.0, None, False, 2, 0, 0)
SESSION = Session(
    SUMMARY,
    ("Be brief.",),
    (
        {"role": "user", "content": [{"type": "text", "text": f"My key is {SECRET}"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "Keep it to yourself."}]},
    ),
)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "exports"
    folder.mkdir()
    return folder


async def test_json_has_the_whole_session_without_secrets(folder):
    path = folder / "a.json"
    await export_session(SESSION, path, "json")
    exported = json.loads(path.read_bytes())
    assert (exported["id"], exported["system"], len(exported["messages"])) == ("ses_1", ["Be brief."], 2)
    assert SECRET not in path.read_text()


async def test_markdown_is_readable_and_without_secrets(folder):
    path = folder / "a.md"
    await export_session(SESSION, path, "markdown")
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# Größe: a/b?\n")
    assert "Keep it to yourself." in text
    assert SECRET not in text


@posix_only("file modes")
async def test_the_file_is_replaced_whole_and_is_for_its_owner_alone(folder):
    path = folder / "a.md"
    path.write_text("old" * 10_000)
    await export_session(SESSION, path, "markdown")
    assert "old" not in path.read_text()
    assert list(folder.iterdir()) == [path]
    if os.name == "posix":
        assert path.stat().st_mode & 0o077 == 0


async def test_a_file_that_cannot_be_written_is_left_as_it_was(folder):
    path = folder / "a.md"
    path.mkdir()
    (path / "inside").write_text("kept")
    with pytest.raises(DragomanError) as failed:
        await export_session(SESSION, path, "markdown")
    assert str(path) in failed.value.message
    assert failed.value.hint
    assert [file.name for file in folder.iterdir()] == ["a.md"]
    assert (path / "inside").read_text() == "kept"


async def test_a_missing_folder_is_named(folder):
    with pytest.raises(DragomanError, match="No such file"):
        await export_session(SESSION, folder / "nowhere" / "a.md", "markdown")


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Größe: a/b?", "Größe-a-b.json"),
        ("../../etc/passwd", "etc-passwd.json"),
        ("???", "ses_1.json"),
        ("x" * 80, "x" * 60 + ".json"),
    ],
)
def test_a_file_is_named_after_the_title(title, name):
    summary = SessionSummary("ses_1", title, "", "", 0.0, 0.0, None, False, 0, 0, 0)
    assert export_file_name(summary, "json") == name
