"""The verdicts on the CLIs of this computer, in a JSON file.

A program is known by its version and checksum. The state of its file is kept too, so that the checksum of 380 MB is
computed once: as long as the file looks the same, it is not read again.
"""

import hashlib
import logging
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from server.backends.claude_cli.facilities import Facility
from server.backends.claude_cli.self_check.verdict import Verdict, Verdicts, is_conclusive
from server.config.paths import write_private

log = logging.getLogger(__name__)

VERDICTS = "claude-verdicts.json"
"""Name of the file in the data directory."""
CHECK_FORM = 1
"""The form of the checks. Raise it when they change, or the way to drive the CLI: verdicts of another form are void."""
MAX_PROGRAMS = 8
MAX_ATTEMPTS = 3
"""Runs after which an inconclusive verdict stands."""


@dataclass(frozen=True, slots=True)
class FileState:
    """How a program's file looks without reading it."""

    path: str
    inode: int
    modified_ns: int
    size: int

    @classmethod
    def of(cls, path: Path) -> "FileState":
        """The present state. Raises OSError."""
        stat = path.stat()
        return cls(str(path.resolve()), stat.st_ino, stat.st_mtime_ns, stat.st_size)


@dataclass(frozen=True, slots=True)
class Program:
    """A CLI: the version that it reports, its checksum, and its file."""

    version: str
    sha256: str
    file: FileState


@dataclass(frozen=True, slots=True)
class CheckRecord:
    """The verdicts on a program, from the latest of `attempts` runs."""

    program: Program
    verdicts: Verdicts
    attempts: int = 1
    checked_at: float = field(default_factory=time.time)
    """Epoch seconds."""

    @classmethod
    def after_run(cls, program: Program, verdicts: Verdicts, before: "CheckRecord | None") -> "CheckRecord":
        """The record of a run, which follows the runs of `before`."""
        attempts = before.attempts + 1 if before is not None else 1
        if attempts >= MAX_ATTEMPTS:
            # What hangs or dies each time is not the computer's fault.
            verdicts = {one: replace(verdict, conclusive=True) for one, verdict in verdicts.items()}
        return cls(program, verdicts, attempts)

    @property
    def is_final(self) -> bool:
        """Whether another run would say nothing new."""
        return is_conclusive(self.verdicts)


class VerdictFile:
    """Reads and writes the records. Blocks; a file that is missing or damaged has none."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def find_by_file(self, path: Path) -> CheckRecord | None:
        """The record of the program at `path`, if its file looks as it did then. Reads only its state."""
        try:
            state = FileState.of(path)
        except OSError:
            return None
        return next((record for record in self._read() if record.program.file == state), None)

    def identify(self, path: Path, version: str) -> tuple[Program, CheckRecord | None]:
        """The program at `path`, and its record from there or anywhere else. Raises OSError."""
        state, records = FileState.of(path), self._read()
        known = next((one for one in records if one.program.file == state and one.program.version == version), None)
        if known is not None:
            return known.program, known
        with path.open("rb") as file:
            program = Program(version, hashlib.file_digest(file, "sha256").hexdigest(), state)
        same = (one for one in records if (one.program.version, one.program.sha256) == (version, program.sha256))
        return program, next(same, None)

    def save(self, record: CheckRecord) -> None:
        """Add or replace a record; the oldest of too many are dropped. Raises OSError."""
        program = record.program
        others = [
            one
            for one in self._read()
            if one.program.file.path != program.file.path
            and (one.program.version, one.program.sha256) != (program.version, program.sha256)
        ]
        kept = [record, *others][:MAX_PROGRAMS]
        content = {"form": CHECK_FORM, "programs": [asdict(one) for one in kept]}
        write_private(self._path, orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS))

    def _read(self) -> list[CheckRecord]:
        try:
            content = orjson.loads(self._path.read_bytes())
            if content["form"] != CHECK_FORM:
                return []
            return [_parse_record(row) for row in content["programs"]]
        except FileNotFoundError:
            return []
        except (OSError, LookupError, TypeError, ValueError) as error:
            log.info("the verdicts on Claude Code in %s cannot be read: %r", self._path, error)
            return []


def _parse_record(row: dict[str, Any]) -> CheckRecord:
    """Raises LookupError, TypeError or ValueError for what `save` has not written."""
    program = row["program"]
    verdicts = {Facility(name): Verdict(**verdict) for name, verdict in row["verdicts"].items()}
    if not all(isinstance(verdict.proven, bool) for verdict in verdicts.values()):
        raise ValueError("a verdict is neither true nor false")
    state = FileState(**program["file"])
    return CheckRecord(
        Program(str(program["version"]), str(program["sha256"]), state),
        verdicts,
        int(row["attempts"]),
        float(row["checked_at"]),
    )
