"""Facilities of the CLI that its documentation does not promise, each used only where it was proven to work.

The self-check proves them for the installed program (`self_check/`). Without a verdict a facility counts as missing.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

log = logging.getLogger(__name__)


class Facility(StrEnum):
    """A way to drive the CLI that the self-check proves. The value names it in files and logs."""

    RECYCLE = "recycle"
    """`rewind_conversation` gives a process whose next request equals that of a fresh one."""
    SYSTEM_PROMPT = "system_prompt"
    """`set_model` with `system_prompt` changes the system prompt and nothing else."""
    DRY_TURN = "dry_turn"
    """A turn at an address that leads nowhere, taken back, leaves no trace in the next request."""
    CACHED_REPLAY = "cached_replay"
    """A replayed history is sent byte for byte as it was lived, so that the API's prompt cache serves it."""
    FAST_DELTAS = "fast_deltas"
    """The environment's fast path for deltas prints the same events and keeps the same transcript."""
    TOOLS_IN_BODY = "tools_in_body"
    """Tool definitions in the extra body reach the API unchanged and replace the CLI's own list."""
    CROSS_SESSION_REFUSAL = "cross_session_refusal"
    """The user's other sessions have no inbox to write into."""
    SIGN_IN = "sign_in"
    """A plan's login in a file is read in print mode."""
    TOOLS = "tools"
    """A tool call waits for the client's result, and goes on in the same turn with it."""
    ISOLATION = "isolation"
    """Nothing of the user's settings, hooks, memory and MCP servers is loaded."""
    RESUME = "resume"
    """A replayed history reaches the API with its roles, calls and results."""


REQUIRED = frozenset(
    {
        Facility.TOOLS_IN_BODY,
        Facility.CROSS_SESSION_REFUSAL,
        Facility.SIGN_IN,
        Facility.TOOLS,
        Facility.ISOLATION,
        Facility.RESUME,
    }
)
"""What every request relies on. There is no other way, so nothing is switched off: a failure is told as a problem."""
FAST_PATHS = frozenset(Facility) - REQUIRED
"""What requests do where it is proven; otherwise the CLI is driven as documented."""


class Facilities:
    """The facilities that may be used now: those proven, less those withdrawn since.

    One instance belongs to the backend. `on_withdrawal` is called after each first withdrawal of a facility.
    """

    def __init__(self, proven: Iterable[Facility] = ()) -> None:
        self.on_withdrawal: Callable[[], None] = lambda: None
        self._proven = frozenset(proven)
        self._withdrawn: dict[Facility, str] = {}
        self._failures: dict[Facility, int] = {}

    def __contains__(self, facility: Facility) -> bool:
        return facility in self._proven and facility not in self._withdrawn

    def usable(self) -> frozenset[Facility]:
        """The facilities that may be used now."""
        return frozenset(facility for facility in self._proven if facility in self)

    def replace_proven(self, proven: Iterable[Facility]) -> None:
        """Use the verdicts on another program, which may do what the last one failed to do."""
        self._proven = frozenset(proven)
        self._withdrawn.clear()

    def withdraw(self, facility: Facility, reason: str) -> None:
        """Count a failure of a proven facility in a request, and use it no more until the program changes."""
        self._failures[facility] = self._failures.get(facility, 0) + 1
        # Several requests may be using it at this moment: one line and one call for all of them.
        if facility in self:
            self._withdrawn[facility] = reason
            log.warning("Claude Code's %s failed and is switched off until the next start: %s", facility, reason)
            self.on_withdrawal()

    @property
    def withdrawn(self) -> Mapping[Facility, str]:
        """The facilities withdrawn since the verdicts, with the reasons."""
        return dict(self._withdrawn)

    @property
    def failures(self) -> Mapping[Facility, int]:
        """The number of failures of each facility in requests since the start."""
        return dict(self._failures)
