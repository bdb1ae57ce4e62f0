"""Which process may serve which request without a trace of what it served before. Pure.

The rules were found by comparing whole requests with those of fresh processes (CLI 2.1.330 and 2.1.332).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from server.backends.claude_cli.chat import replay
from server.backends.claude_cli.chat.continuation import ConversationKey, ProcessBinding
from server.backends.claude_cli.chat.trail import Trail, UserLine
from server.backends.claude_cli.transport.wire import Result
from server.core.messages import MessagesRequest
from server.core.transcript import CanonicalTurn, canonical_messages

MAX_CONVERSATIONS = 20
MAX_RESIDENT_BYTES = 250 * 1024 * 1024
"""A process grows from 160 to some 270 MB over 40 conversations."""
_PASSING_STATUSES = frozenset({400, 408, 413, 429})


@dataclass(frozen=True, slots=True)
class Plan:
    """How a process gets to a request: the line to take it back to, if any, and the turns that it then knows."""

    line: UserLine | None
    turns: int


BEGIN = Plan(None, 0)
"""For a process without a transcript."""


@dataclass(slots=True)
class Wear:
    """What a process keeps for good.

    `tools`: the definitions that it has sent. A tool that is removed goes on being sent, and a changed definition is
    not. `betas`: those in force at its first call, which it reads once. `refused`: the model refused an answer, after
    which the CLI sends a beta header of its own.
    """

    tools: bytes | None = None
    betas: frozenset[str] | None = None
    refused: bool = False
    conversations: int = 0
    resident_bytes: int = 0

    def note_turn(self, binding: ProcessBinding) -> None:
        """A turn begins."""
        if binding.has_tools:
            self.tools = binding.tools
        if self.betas is None:
            self.betas = binding.betas

    @property
    def is_worn_out(self) -> bool:
        """Whether it must not serve another conversation."""
        return self.refused or self.conversations >= MAX_CONVERSATIONS or self.resident_bytes >= MAX_RESIDENT_BYTES

    def allows(self, binding: ProcessBinding) -> bool:
        """Whether nothing that it keeps would be in a request with this binding, or missing in it."""
        return (self.tools is None or self.tools == binding.tools) and self.betas in (None, binding.betas)


def plan_rest(
    trail: Trail, transcript: Sequence[CanonicalTurn], key: ConversationKey, request: MessagesRequest, *, holds: bool
) -> Plan | None:
    """Plan to keep what the transcript has in common with a request of the same binding; None if that is nothing.

    One with nothing in common but its beginning may be another conversation that begins with the same words: both are
    kept. A client that regenerates its first answer gets a spare, which is as fast.
    """
    if not replay.is_divisible(request.messages):
        return None
    turns = canonical_messages(request.messages, server_blocks=not key.hides_server_blocks)
    shared = next(
        (index for index, (one, other) in enumerate(zip(turns, transcript, strict=False)) if one != other),
        min(len(turns), len(transcript)),
    )
    if not shared:
        return None
    if shared == len(transcript) and not holds:
        return Plan(None, shared)
    line = trail.find_line(shared)
    return Plan(line, line.turns_before) if line is not None and line.turns_before else None


def is_passing(result: Result) -> bool:
    """Whether the API refused a turn for a reason that lies in the request or passes, and not in the process."""
    status = result.api_status
    return status is None or status in _PASSING_STATUSES or status >= 500
