"""Which releases count, in which order."""

from typing import Any

import orjson
import pytest
from packaging.version import Version

from tests.release_server import release
from tray_app.updates.releases import newer_releases, parse_releases


def newer(running: str, *entries: dict[str, Any]) -> list[str]:
    return [entry.tag for entry in newer_releases(parse_releases(orjson.dumps(entries)), Version(running))]


@pytest.mark.parametrize(
    ("running", "tags", "expected"),
    [
        ("0.1.0", ["v0.1.0"], []),
        ("0.1.0", [], []),
        ("0.2.0", ["v0.1.0"], []),
        ("0.1.0", ["v0.2.0", "v0.10.0", "v0.9.0", "v0.1.0"], ["v0.10.0", "v0.9.0", "v0.2.0"]),
        ("0.1.0", ["0.2.0"], ["0.2.0"]),
        ("0.1.0", ["v0.2.0rc1", "v0.2.0.dev3"], []),
        ("0.2.0rc1", ["v0.2.0rc2", "v0.2.0", "v0.1.0"], ["v0.2.0", "v0.2.0rc2"]),
        ("0.2.0.dev1", ["v0.2.0a1"], ["v0.2.0a1"]),
        ("0.1.0+deb1", ["v0.1.0"], []),
        ("0.1.0", ["v0.1.0.post1"], ["v0.1.0.post1"]),
        ("0.1.0", ["nightly", "release-of-spring", "", "v0.2.0"], ["v0.2.0"]),
        ("0.1.0", ["v0.2.0", "0.2.0"], ["0.2.0"]),
    ],
)
def test_newer_versions_are_found_newest_first(running: str, tags: list[str], expected: list[str]) -> None:
    assert newer(running, *(release(tag) for tag in tags)) == expected


def test_a_release_marked_as_a_prerelease_counts_only_for_those_who_run_one() -> None:
    marked = release("v0.3.0", prerelease=True)
    assert newer("0.1.0", marked, release("v0.2.0")) == ["v0.2.0"]
    assert newer("0.2.0rc1", marked, release("v0.2.0")) == ["v0.3.0", "v0.2.0"]
    # The running version's number does not say that it is one; the list does.
    assert newer("0.2.0", marked, release("v0.2.0", prerelease=True)) == ["v0.3.0"]


def test_drafts_are_ignored() -> None:
    assert newer("0.1.0", release("v0.2.0", draft=True)) == []


def test_the_fields_of_a_release() -> None:
    (entry,) = parse_releases(orjson.dumps([release("v0.2.0", "### Added", published_at="2026-11-20T12:00:00Z")]))
    assert (str(entry.version), entry.tag, entry.notes, entry.date) == ("0.2.0", "v0.2.0", "### Added", "2026-11-20")


@pytest.mark.parametrize("changes", [{"body": None, "published_at": None}, {"body": 3, "published_at": "soon"}])
def test_missing_notes_and_dates_are_empty(changes: dict[str, Any]) -> None:
    (entry,) = parse_releases(orjson.dumps([release("v0.2.0") | changes]))
    assert (entry.notes, entry.date) == ("", "")


@pytest.mark.parametrize("tag", [None, 7, ["v1"]])
def test_an_entry_without_a_tag_is_left_out(tag: Any) -> None:
    assert parse_releases(orjson.dumps([release("v0.2.0") | {"tag_name": tag}])) == []


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"message": "x"}', b"[1]", b'["v1"]', b"null", b"\xff\xfe"])
def test_what_is_no_list_of_releases_raises(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the parser's own errors are below it
        parse_releases(body)
