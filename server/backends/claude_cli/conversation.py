"""A live conversation: a process bound to a model, a system prompt and tools, and the transcript that it holds."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from server.backends.claude_cli import replay
from server.backends.claude_cli import tools as mcp
from server.backends.claude_cli.channel import Channel
from server.backends.claude_cli.failures import failure
from server.backends.claude_cli.parameters import flag_settings, thinking_tokens
from server.backends.claude_cli.wire import AssistantError, Result, Streamed
from server.errors import ProcessDied, TrayError, UpstreamFailed
from server.messages import Block, Events, Message, MessageFold, MessagesRequest, StreamEvent
from server.transcript import Turn, canonical_messages, canonical_system, canonical_tools, split_prefix

State = Literal["parked", "idle", "busy", "holding", "closed"]

SILENCE_SECONDS = 600.0
RESULT_WAIT_SECONDS = 1.0
CLEAN_ENDS = frozenset({"end_turn", "stop_sequence"})


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


class Conversation:
    """Parked until its first request, then busy with a turn, idle, or holding the client's tool calls.

    `session_id` is the session it last worked for, `last_used` on the monotonic clock.
    """

    def __init__(self, on_change: Callable[[], None], on_limits: Callable[[dict[str, Any]], None]) -> None:
        self.state: State = "parked"
        self.session_id: str | None = None
        self.last_used = time.monotonic()
        self._on_change = on_change
        self._on_limits = on_limits
        self._binding: Binding | None = None
        self._transcript: tuple[Turn, ...] = ()
        self._held: frozenset[str] = frozenset()
        self._cost = 0.0
        self._channel: Channel
        self.ready: asyncio.Future[dict[str, Any]]

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        environment: Mapping[str, str],
        directory: Path,
        *,
        on_change: Callable[[], None],
        on_limits: Callable[[dict[str, Any]], None],
    ) -> "Conversation":
        """Start a process and park it. `ready` is done when it has come up. Raises `CliNotFound`."""
        conversation = cls(on_change, on_limits)
        conversation._channel = await Channel.open(
            command, environment, directory, on_limits=on_limits, on_death=conversation._died
        )
        conversation.ready = conversation._channel.post("apply_flag_settings", settings={})
        return conversation

    @property
    def free(self) -> bool:
        """Whether it can be given a request, or has to go when there is no room."""
        return self.state in ("idle", "holding")

    @property
    def pid(self) -> int:
        """The process id."""
        return self._channel.process.pid

    def memory_bytes(self) -> int:
        """Resident memory of its process."""
        return self._channel.process.memory_bytes()

    def continues(self, request: MessagesRequest) -> bool:
        """Whether `request` goes on exactly where this conversation stands: its whole prefix is the transcript."""
        if not self.free or request.messages[-1]["role"] != "user" or self._binding != Binding.of(request):
            return False
        prefix, said = split_prefix(request.messages)
        return self._transcript == canonical_messages(prefix) and self._takes(said)

    def _takes(self, said: Sequence[Message]) -> bool:
        results = _tool_results(said)
        if self.state == "idle":
            return not results
        alone = len(results) == sum(len(message["content"]) for message in said)
        answered = {block["tool_use_id"] for block in results}
        return alone and answered == self._held and all(mcp.passes_unchanged(block) for block in results)

    def claim(self, request: MessagesRequest) -> None:
        """Give it to a request: nobody else gets it from now on."""
        self.session_id = request.session_id
        self.state = "busy"

    async def answer(self, request: MessagesRequest) -> Events:
        """Run the turn that `request` asks for, after `claim`. Yields the events of one message.

        Left before its end, or failing, the process is ended: its transcript is no longer what the client has.
        """
        try:
            await self._put(request)
            async for event in self._turn(request):
                yield event
        finally:
            if self.state == "busy":
                self.kill()

    async def _put(self, request: MessagesRequest) -> None:
        """Get the question to the CLI, with all that goes before it."""
        if self._binding is not None:
            self._channel.post("apply_flag_settings", settings=flag_settings(request, request.model))
            _, said = split_prefix(request.messages)
            if results := _tool_results(said):
                self._channel.give_results(results)
            else:
                self._channel.ask([block for message in said for block in message["content"]])
            return
        self._binding = Binding.of(request)
        initialized = self._bind(request)
        past, question = replay.turns(request.messages)
        for turn in past:
            if turn.role == "user":
                await self._channel.replay_user(turn.content)
            else:
                self._channel.replay_assistant(turn.content)
        self._channel.ask(question.content)
        await initialized

    def _bind(self, request: MessagesRequest) -> "asyncio.Future[dict[str, Any]]":
        """Give the parked process its system prompt, tools and parameters. Nothing here waits for an answer."""
        channel = self._channel
        channel.tools = request.tools
        initialized = channel.post(
            "initialize",
            systemPrompt=[text for text in request.system if text],
            sdkMcpServers=[mcp.SERVER] if request.tools else [],
            sdkMcpServerManifests=mcp.manifest(request.tools) if request.tools else {},
            hooks=None,
        )
        channel.post("apply_flag_settings", settings=flag_settings(request, request.model))
        if (budget := thinking_tokens(request)) is not None:
            channel.post("set_max_thinking_tokens", max_thinking_tokens=budget)
        return initialized

    async def _turn(self, request: MessagesRequest) -> Events:
        fold, report = MessageFold(), None
        while True:
            item = await self._channel.next_item(SILENCE_SECONDS)
            match item:
                case Streamed(event) if _stop_reason(event) is not None:
                    for last in await self._end(request, fold, event):
                        yield last
                    return
                case Streamed(event) if event.get("type") in ("message_delta", "message_stop"):
                    # A message that ends without a reason was cut. Unless an error was reported, the CLI goes on by
                    # itself, with another message: the client must not get both.
                    if report is None:
                        self.kill()
                        raise UpstreamFailed("The connection to Claude was lost in the middle of the answer.")
                case Streamed(event):
                    event = mcp.without_prefix(event)
                    fold.feed(event)
                    yield event
                case AssistantError():
                    report = item
                case Result():
                    raise self._failure(item, report)
                case ProcessDied():
                    raise item

    async def _end(self, request: MessagesRequest, fold: MessageFold, delta: StreamEvent) -> list[StreamEvent]:
        """The last two events; before they leave, it is settled what becomes of the process."""
        reason = _stop_reason(delta)
        content = fold.content
        answer: Message = {"role": "assistant", "content": content}
        if reason == "tool_use" and self._all_known(content, request):
            await self._drain_until("message_stop")
            self._keep("holding", request, answer)
            self._held = frozenset(block["id"] for block in content if block["type"] == "tool_use")
        elif self._ends_clean(reason, content, request) and (result := await self._result()) is not None:
            delta = self._with_cost(delta, result)
            self._keep("idle", request, answer)
        if self.state == "busy":
            # The CLI would go on by itself from here, or its transcript is not the client's.
            self.kill()
        self._channel.end_turn()
        return [delta, {"type": "message_stop"}]

    def _keep(self, state: State, request: MessagesRequest, answer: Message) -> None:
        if self._channel.dead is None:
            self._transcript = canonical_messages([*request.messages, answer])
            self.last_used = time.monotonic()
            self.state = state
            self._on_change()

    def _ends_clean(self, reason: str | None, content: Sequence[Block], request: MessagesRequest) -> bool:
        """Whether the CLI rests after this end, and its transcript is the client's: it asks again after an empty one,
        and does not know of a prefill."""
        return reason in CLEAN_ENDS and _has_text(content) and request.messages[-1]["role"] == "user"

    def _all_known(self, content: Sequence[Block], request: MessagesRequest) -> bool:
        """Whether all calls are for the client: a tool that does not exist is answered by the CLI itself."""
        names = {tool["name"] for tool in request.tools}
        return all(block["name"] in names for block in content if block["type"] == "tool_use")

    async def _drain_until(self, kind: str) -> None:
        while True:
            match await self._channel.next_item(RESULT_WAIT_SECONDS):
                case Streamed(event) if event.get("type") == kind:
                    return
                case ProcessDied() as death:
                    raise death

    async def _result(self) -> Result | None:
        """The turn's result, after which the process is ready for the next; None when it does not come soon."""
        with suppress(TrayError):
            while True:
                match await self._channel.next_item(RESULT_WAIT_SECONDS):
                    case Result() as result:
                        return result
                    case ProcessDied():
                        return None
        return None

    def _with_cost(self, delta: StreamEvent, result: Result) -> StreamEvent:
        if result.cost_usd is None:
            return delta
        cost, self._cost = result.cost_usd - self._cost, result.cost_usd
        return {**delta, "cost_usd": max(0.0, cost)}

    def _failure(self, result: Result, report: AssistantError | None) -> TrayError:
        return failure(result, report, self._channel.limits, time.time())

    def kill(self) -> None:
        """End it at once."""
        self._close()
        self._channel.process.kill()

    async def stop(self) -> None:
        """End it, and return when the process is gone: in order when it rests, at once when it has work.

        At the end of its input the CLI takes held tool calls for failed, and would ask the model what to do.
        """
        resting = self.state in ("parked", "idle")
        self._close()
        if not resting:
            self._channel.process.kill()
        await self._channel.process.stop()

    @property
    def gone(self) -> bool:
        """Whether its process has ended."""
        return self._channel.process.exited.is_set()

    def _close(self) -> None:
        if self.state != "closed":
            self.state = "closed"
            self._on_change()

    def _died(self) -> None:
        if self.state != "busy":
            self._close()


def _stop_reason(event: StreamEvent) -> str | None:
    return event["delta"].get("stop_reason") if event.get("type") == "message_delta" else None


def _tool_results(said: Sequence[Message]) -> list[Block]:
    return [block for message in said for block in message["content"] if block["type"] == "tool_result"]


def _has_text(content: Sequence[Block]) -> bool:
    return any(block["type"] == "text" and block["text"].strip() for block in content)
