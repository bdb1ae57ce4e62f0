"""Verdicts of the self-check: whether a facility was proven, and if not, why."""

from collections.abc import Mapping
from dataclasses import dataclass

from server.backends.claude_cli.facilities import REQUIRED, Facility


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` says why a facility is not proven.

    An inconclusive verdict (a timeout, a full disk) says nothing about the CLI.
    """

    proven: bool
    reason: str = ""
    conclusive: bool = True


PROVEN = Verdict(True)
Verdicts = Mapping[Facility, Verdict]


class NotProven(Exception):
    """A check found a difference; the message is the verdict's reason."""


def is_conclusive(verdicts: Verdicts) -> bool:
    """Whether every facility has a lasting verdict."""
    return all(one in verdicts and verdicts[one].conclusive for one in Facility)


def proven_facilities(verdicts: Verdicts) -> frozenset[Facility]:
    """The facilities that may be used."""
    return frozenset(one for one, verdict in verdicts.items() if verdict.proven)


def missing_requirements(verdicts: Verdicts) -> dict[Facility, str]:
    """The facilities without which requests go wrong, and that were shown not to work; with the reasons."""
    return {
        one: verdict.reason
        for one, verdict in verdicts.items()
        if one in REQUIRED and verdict.conclusive and not verdict.proven
    }
