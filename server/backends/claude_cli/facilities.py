"""Facilities of the CLI that its documentation does not promise, each used only where it was proven to work.

The self-check proves them for the installed version; without a verdict a facility counts as missing.
"""

from collections.abc import Iterable
from enum import StrEnum


class Facility(StrEnum):
    """A way to drive the CLI that the self-check proves. The value names it in files and logs."""

    RECYCLE = "recycle"
    """`rewind_conversation` gives a process whose next request equals that of a fresh one."""
    SYSTEM_PROMPT = "system_prompt"
    """`set_model` with `system_prompt` changes the system prompt and nothing else."""
    DRY_TURN = "dry_turn"
    """A turn against an address that leads nowhere, taken back, leaves no trace in the next request."""
    CACHED_REPLAY = "cached_replay"
    """A replayed history is sent as the lived conversation was, so that the API's prompt cache serves it."""
    TOOLS_IN_BODY = "tools_in_body"
    """Tool definitions reach the API through the extra body, unchanged."""
    ISOLATION = "isolation"
    """No message of another session is accepted, and nothing of the user's configuration reaches the model."""
    RESUME = "resume"
    """A replayed history reaches the API with its native roles."""
    SIGN_IN = "sign_in"
    """A plan's login is read in print mode."""
    FAST_DELTAS = "fast_deltas"
    """The environment's fast path for deltas prints the same lines."""


class Facilities:
    """The facilities that may be used now: those proven, less those that failed since.

    One instance belongs to the backend. A process keeps a set of its own of what failed in it alone.
    """

    def __init__(self, proven: Iterable[Facility] = ()) -> None:
        self._proven = frozenset(proven)
        self._failures: dict[Facility, int] = {}

    def __contains__(self, facility: Facility) -> bool:
        return facility in self._proven

    def replace_proven(self, proven: Iterable[Facility]) -> None:
        """Use the verdicts of another self-check."""
        self._proven = frozenset(proven)

    def count_failure(self, facility: Facility) -> None:
        """Count a request in which a proven facility failed."""
        self._failures[facility] = self._failures.get(facility, 0) + 1

    @property
    def failures(self) -> dict[Facility, int]:
        """Failures of each facility since the start."""
        return dict(self._failures)
