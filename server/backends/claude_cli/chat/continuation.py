"""What a request needs of a process, in the form in which it is compared. Pure; made once for each request."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from server.backends.claude_cli.chat.parameters import goes_whole, thinking_tokens
from server.backends.claude_cli.transport import mcp_tools as mcp
from server.core.messages import Block, Message, MessagesRequest
from server.core.transcript import Turn, canonical_messages, canonical_system, canonical_tools, split_prefix


@dataclass(frozen=True, slots=True)
class Binding:
    """What a process is bound to at its first request and cannot change without a trace in the transcript.

    A new model leaves notes in the conversation; a new effort is not heard while tool calls are held.
    """

    model: str
    effort: str | None
    thinking: int | None
    system: str
    tools: bytes

    @classmethod
    def of(cls, request: MessagesRequest) -> "Binding":
        """The binding that a request needs."""
        return cls(
            request.model,
            request.effort,
            thinking_tokens(request),
            canonical_system(request.system),
            canonical_tools(request.tools),
        )


@dataclass(frozen=True, slots=True)
class Question:
    """A request as it is held against live conversations: its binding, what was said before, what is said now.

    `results` are the tool results among what is said now; `alone` whether there is nothing else.
    """

    binding: Binding
    prefix: tuple[Turn, ...]
    results: Sequence[Block]
    alone: bool
    whole: bool

    @classmethod
    def of(cls, request: MessagesRequest) -> "Question":
        """The question of a request."""
        prefix, said = split_prefix(request.messages)
        results = tool_results(said)
        return cls(
            Binding.of(request),
            canonical_messages(prefix),
            results,
            alone=len(results) == sum(len(message["content"]) for message in said),
            whole=goes_whole(request),
        )

    def answers(self, held: Collection[str]) -> bool:
        """Whether it brings the results of exactly these held calls and nothing else; without any, whether it is a
        question. Results that the CLI would change do not count."""
        if self.whole:
            return False
        if not held:
            return not self.results
        ids = [block["tool_use_id"] for block in self.results]
        return self.alone and sorted(ids) == sorted(held) and all(map(mcp.passes_unchanged, self.results))


def tool_results(said: Sequence[Message]) -> list[Block]:
    """The tool results in these turns."""
    return [block for message in said for block in message["content"] if block["type"] == "tool_result"]
