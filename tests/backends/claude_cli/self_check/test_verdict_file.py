"""The file of verdicts: which program a record is about, and files that cannot be used."""

import os
import shutil

import orjson
import pytest

from server.backends.claude_cli.facilities import Facility
from server.backends.claude_cli.self_check import verdict_file
from server.backends.claude_cli.self_check.verdict import PROVEN, Verdict
from server.backends.claude_cli.self_check.verdict_file import MAX_PROGRAMS, CheckRecord, VerdictFile

ALL = dict.fromkeys(Facility, PROVEN)


@pytest.fixture
def file(tmp_path):
    return VerdictFile(tmp_path / "data" / "verdicts.json")


@pytest.fixture
def add(file, tmp_path):
    """`add(name, version)`: a program that was checked, and its path."""

    def add(name, version="1.0", content="a program", verdicts=ALL):
        path = tmp_path / name
        path.write_text(content)
        program, record = file.identify(path, version)
        assert record is None
        file.save(CheckRecord(program, verdicts))
        return path

    return add


def test_verdicts_are_read_as_they_were_written(file, add):
    verdicts = {**ALL, Facility.RECYCLE: Verdict(False, "it differs"), Facility.TOOLS: Verdict(False, "late", False)}
    path = add("claude", verdicts=verdicts)
    _, record = file.identify(path, "1.0")
    assert record.verdicts == verdicts
    assert file.find_by_file(path) == record
    assert not record.is_final, "one of them is inconclusive"


def test_the_same_program_elsewhere_is_known(file, add, tmp_path):
    path = add("claude")
    shutil.copy(path, tmp_path / "copy")
    program, record = file.identify(tmp_path / "copy", "1.0")
    assert record.verdicts == ALL
    assert program.file != record.program.file
    assert file.find_by_file(tmp_path / "copy") is None, "not before its checksum is known"


@pytest.mark.parametrize(("version", "content"), [("1.1", "a program"), ("1.0", "another one")])
def test_another_version_or_another_checksum_is_unknown(file, add, version, content):
    path = add("claude")
    path.write_text(content)
    assert file.identify(path, version)[1] is None


def test_a_program_replaced_in_place_is_unknown(file, add, tmp_path):
    path = add("claude")
    (tmp_path / "new").write_text("b program")
    os.replace(tmp_path / "new", path)
    assert file.find_by_file(path) is None
    assert file.identify(path, "1.0")[1] is None


def test_an_unchanged_file_is_not_read_again(file, add):
    path = add("claude")
    path.chmod(0)
    assert file.identify(path, "1.0")[1] is not None


def test_several_programs_are_kept_and_the_oldest_dropped(file, add):
    paths = [add(f"claude{number}", content=f"program {number}") for number in range(MAX_PROGRAMS + 1)]
    assert [file.find_by_file(path) is not None for path in paths] == [False] + [True] * MAX_PROGRAMS


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"form": 1}',
        b'{"form": 1, "programs": [{}]}',
        b'{"form": 1, "programs": [null]}',
        b"\xff\xfe",
    ],
)
def test_a_damaged_file_has_no_verdicts_and_is_replaced(file, add, tmp_path, content):
    path = add("claude")
    (tmp_path / "data" / "verdicts.json").write_bytes(content)
    assert file.find_by_file(path) is None
    program, record = file.identify(path, "1.0")
    assert record is None
    file.save(CheckRecord(program, ALL))
    assert file.find_by_file(path) is not None


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record["verdicts"].update(recycle={"proven": "yes"}),
        lambda record: record["verdicts"].update(levitation={"proven": True}),
        lambda record: record["verdicts"]["recycle"].update(more=1),
        lambda record: record["program"].pop("sha256"),
        lambda record: record.update(attempts="many"),
    ],
)
def test_a_record_that_was_changed_by_hand_is_not_believed(file, add, tmp_path, change):
    path = add("claude")
    stored = tmp_path / "data" / "verdicts.json"
    content = orjson.loads(stored.read_bytes())
    change(content["programs"][0])
    stored.write_bytes(orjson.dumps(content))
    assert file.find_by_file(path) is None


def test_verdicts_of_another_form_of_the_check_are_void(file, add, monkeypatch):
    path = add("claude")
    monkeypatch.setattr(verdict_file, "CHECK_FORM", verdict_file.CHECK_FORM + 1)
    assert file.find_by_file(path) is None
    assert file.identify(path, "1.0")[1] is None


def test_what_fails_in_every_run_becomes_a_lasting_verdict(file, add):
    path = add("claude", verdicts={**ALL, Facility.TOOLS: Verdict(False, "it died", conclusive=False)})
    program, record = file.identify(path, "1.0")
    second = CheckRecord.after_run(program, record.verdicts, record)
    assert not second.is_final
    third = CheckRecord.after_run(program, record.verdicts, second)
    assert third.is_final
    assert third.verdicts[Facility.TOOLS] == Verdict(False, "it died", conclusive=True)


def test_a_check_without_some_facility_is_repeated(file, add):
    path = add("claude", verdicts={Facility.RECYCLE: PROVEN})
    assert not file.find_by_file(path).is_final
