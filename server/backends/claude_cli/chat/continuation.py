"""The key by which a request finds the conversation that it continues. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from server.backends.claude_cli.chat.parameters import bypasses_transcript, thinking_tokens
from server.backends.claude_cli.transport import mcp_tools as mcp
from server.core.messages import Block, Message, MessagesRequest, client_tools
from server.core.transcript import CanonicalTurn, canonical_messages, canonical_system, canonical_tools, split_prefix
from server.models.betas import without_effective


@dataclass(frozen=True, slots=True)
class ProcessBinding:
    """Properties fixed by a process's first request; a change would alter its history.

    A new model leaves notes in the conversation; a new effort is ignored while tool calls are held.
    """

    model: str
    effort: str | None
    thinking: int | None
    system: str
    tools: bytes
    betas: frozenset[str]
    """The CLI (2.1.330) reads them before its first request and never again."""
    has_tools: bool = False
    """Whether the client defines tools, which the CLI has to know."""

    @classmethod
    def from_request(cls, request: MessagesRequest) -> "ProcessBinding":
        """Binding that a request requires."""
        return cls(
            request.model,
            request.effort,
            thinking_tokens(request),
            # An empty text is not sent, and must not make a system prompt out of nothing.
            canonical_system([text for text in request.system if text]),
            canonical_tools(request.tools),
            frozenset(without_effective(request.betas)),
            has_tools=bool(client_tools(request.tools)),
        )


@dataclass(frozen=True, slots=True)
class ConversationKey:
    """A request reduced to what a live conversation must match to continue.

    `prefix` is everything up to the last assistant message. `results` are the tool results after it, and
    `only_results` is true if nothing else follows. A request that `is_one_off` continues nothing, but may get a process
    that has served others. `hides_server_blocks`: the client could not have sent the blocks of server tools, so the
    conversation is compared without them.
    """

    binding: ProcessBinding
    prefix: tuple[CanonicalTurn, ...]
    results: Sequence[Block]
    only_results: bool
    bypasses_transcript: bool
    is_one_off: bool = False
    hides_server_blocks: bool = False

    @classmethod
    def from_request(cls, request: MessagesRequest) -> "ConversationKey":
        """Key of a request."""
        prefix, new_messages = split_prefix(request.messages)
        results = tool_results(new_messages)
        return cls(
            ProcessBinding.from_request(request),
            canonical_messages(prefix, server_blocks=not request.hides_server_blocks),
            results,
            only_results=len(results) == sum(len(message["content"]) for message in new_messages),
            bypasses_transcript=bypasses_transcript(request),
            is_one_off=request.is_one_off,
            hides_server_blocks=request.hides_server_blocks,
        )

    def resolves_held_calls(self, held: Collection[str]) -> bool:
        """Whether the request has exactly the results of the `held` calls.

        If no call is held: whether it has no results. Results that the CLI would change never match.
        """
        if self.bypasses_transcript:
            return False
        if not held:
            return not self.results
        ids = [block["tool_use_id"] for block in self.results]
        return self.only_results and sorted(ids) == sorted(held) and all(map(mcp.passes_unchanged, self.results))


def tool_results(messages: Sequence[Message]) -> list[Block]:
    """Tool results in `messages`."""
    return [block for message in messages for block in message["content"] if block["type"] == "tool_result"]
