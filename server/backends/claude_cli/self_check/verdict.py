"""Verdicts of the self-check: whether a facility was proven, and if not, why."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from server.backends.claude_cli.facilities import Facility


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` says why a facility is not proven.

    An inconclusive verdict (a timeout, a full disk) says nothing about the CLI: the check is repeated at the next
    start.
    """

    proven: bool
    reason: str = ""
    conclusive: bool = True


PROVEN = Verdict(True)
Verdicts = Mapping[Facility, Verdict]


@dataclass(frozen=True, slots=True)
class Program:
    """A file that was checked: the version that it reports, its size in bytes and checksum."""

    version: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The verdicts on a program, and how often proven facilities failed in requests since."""

    program: Program
    verdicts: Verdicts
    checked_at: float
    """Epoch seconds."""
    failures: Mapping[Facility, int] = field(default_factory=dict)

    @property
    def proven(self) -> frozenset[Facility]:
        """The facilities that may be used."""
        return frozenset(one for one, verdict in self.verdicts.items() if verdict.proven)

    @property
    def is_conclusive(self) -> bool:
        """Whether every facility has a lasting verdict."""
        return all(one in self.verdicts and self.verdicts[one].conclusive for one in Facility)


class NotProven(Exception):
    """A check found a difference; the message is the verdict's reason."""
