"""The protocol with one process: control requests, tool calls and turns."""

import asyncio
import itertools
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from server.backends.claude_cli.transport import mcp_tools as mcp
from server.backends.claude_cli.transport import wire
from server.backends.claude_cli.transport.process import CliProcess
from server.backends.claude_cli.transport.wire import (
    AssistantError,
    ControlAnswer,
    ControlRequest,
    Incoming,
    RateLimits,
    Result,
    ResultsTaken,
    Streamed,
    ToolsOffered,
)
from server.core.errors import ProcessDied, UpstreamFailed, UpstreamTimeout
from server.core.messages import Block, StreamEvent, Tool, stop_reason_of

log = logging.getLogger(__name__)

CONTROL_TIMEOUT_SECONDS = 60.0
REWIND_TIMEOUT_SECONDS = 5.0
"""Longest wait until a conversation is taken back. Takes 4 ms, or 35 ms in the middle of an answer."""
AUTO_CONTINUED_REASONS = frozenset({"max_tokens", "refusal", "model_context_window_exceeded", "pause_turn"})
"""Stop reasons after which the CLI asks the model again by itself, up to three times.

It does the same after any message without text or tool calls.
"""

PendingAnswer = asyncio.Future[dict[str, Any]]
"""The future answer to a control request."""

TurnItem = Streamed | AssistantError | Result | ToolsOffered | ProcessDied


class Channel:
    """Requests to one CLI process, and its messages.

    While a turn runs, its messages wait in a queue for `next_item`. A message that begins when no turn runs means
    that the CLI continues by itself, at the user's cost: the process is killed. It is also killed if a message begins
    before all results of the client are given: the CLI has answered a call itself.
    """

    def __init__(self, on_limits: Callable[[dict[str, Any]], None], on_death: Callable[[], None]) -> None:
        self.limits: dict[str, Any] = {}
        # Set once, before it is reported. Whatever is sent later fails at once instead of timing out.
        self.death: ProcessDied | None = None
        self.tools: Sequence[Tool] = ()
        # Whether an address that leads nowhere is in force: the CLI cannot continue at the user's cost.
        self.api_blocked = False
        # Total of all turns of the process so far, as last reported.
        self.cost_usd = 0.0
        self.process: CliProcess
        self._on_limits = on_limits
        self._on_death = on_death
        self._ids = itertools.count(1)
        self._answers: dict[str, PendingAnswer] = {}
        self._receipts: dict[str, asyncio.Future[Result]] = {}
        # A call reaches the client as a stream event and this program as a `tools/call`; either may be first. Calls
        # wait in `_held_calls` for their results, results in `_early_results` for their calls.
        self._held_calls: dict[str, ControlRequest] = {}
        self._early_results: dict[str, Block] = {}
        # Results to be given one by one, and the id of the one that the CLI has not confirmed yet.
        self._ordered_results: deque[Block] = deque()
        self._unconfirmed_result: str | None = None
        self._turn_items: asyncio.Queue[TurnItem] = asyncio.Queue()
        self._in_turn = False
        # The latest user line, also if it was taken back: `rewind_conversation` must name it.
        self._last_line = ""
        # From the request to its answer, which follows all that belongs to the turn that it ends.
        self._rewinding = False
        self._message_has_output = False
        self._answers_itself = False
        """Whether the message calls a tool that the CLI does not know: it would answer the call and ask again."""

    @classmethod
    async def open(
        cls,
        command: Sequence[str],
        environment: Mapping[str, str],
        directory: Path,
        *,
        on_limits: Callable[[dict[str, Any]], None],
        on_death: Callable[[], None],
    ) -> "Channel":
        """Start a process. Raises `CliNotFound`."""
        channel = cls(on_limits, on_death)
        channel.process = await CliProcess.start(
            command, environment, directory, on_message=channel._handle_message, on_exit=channel._handle_exit
        )
        return channel

    def send_control(self, subtype: str, **fields: Any) -> PendingAnswer:
        """Send a control request and return the future answer.

        It fails with `ProcessDied`, or with `UpstreamFailed` if the CLI refuses.
        """
        request_id = f"r{next(self._ids)}"
        future: PendingAnswer = asyncio.get_running_loop().create_future()
        if self.death is not None:
            future.set_exception(self.death)
        else:
            self._answers[request_id] = future
            self.process.write(wire.control_request(request_id, subtype, **fields))
        # Marks a failure as read: asyncio would log one that no caller awaits.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        return future

    async def request_control(self, subtype: str, **fields: Any) -> dict[str, Any]:
        """Send a control request and wait for its answer."""
        return await wait_for_answer(self.send_control(subtype, **fields), subtype)

    async def replay_user(self, content: list[Block]) -> str:
        """Add a past user turn to the transcript, wait for its receipt, and return the line's uuid.

        Raises `ProcessDied`, `UpstreamTimeout`, and `UpstreamFailed` if the CLI refuses the turn.
        """
        if self.death is not None:
            raise self.death
        uuid = self._last_line = str(uuid4())
        receipt: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._receipts[uuid] = receipt
        self.process.write(wire.user_line(content, uuid, query=False))
        try:
            result = await asyncio.wait_for(receipt, CONTROL_TIMEOUT_SECONDS)
        except TimeoutError:
            raise UpstreamTimeout("Claude Code did not accept the conversation's history.") from None
        finally:
            self._receipts.pop(uuid, None)
        if result.is_error:
            raise UpstreamFailed(f"Claude Code did not accept the conversation's history: {result.text}.")
        return uuid

    def replay_assistant(self, content: list[Block], model: str) -> None:
        """Add a past assistant turn to the transcript; the CLI sends no receipt."""
        self.process.write(wire.assistant_line(content, str(uuid4()), model))

    def start_turn(self, content: list[Block]) -> str:
        """Begin a turn: send the user message that asks for an answer. Returns the line's uuid."""
        self._begin_turn()
        self._last_line = str(uuid4())
        self.process.write(wire.user_line(content, self._last_line, query=True))
        return self._last_line

    def send_rewind(self, uuid: str) -> PendingAnswer:
        """Take the transcript back to before the user line `uuid`; a running turn ends, and held calls are dropped.

        Nothing else may be sent until `finish_rewind` has returned. `rewind_conversation` is not in the CLI's published
        types (seen with 2.1.330 and 2.1.332).
        """
        self._rewinding = True
        return self.send_control(
            "rewind_conversation",
            target_message_uuid=uuid,
            last_seen_user_message_uuid=self._last_line,
            interrupt_if_running=True,
        )

    async def finish_rewind(self, answer: PendingAnswer) -> None:
        """Wait for the answer to `send_rewind`.

        Raises `UpstreamFailed` if the CLI does not do it, `UpstreamTimeout`, `ProcessDied`. The transcript is then
        unknown: kill the process.
        """
        try:
            # Shielded, as in `wait_for_answer`.
            payload = await asyncio.wait_for(asyncio.shield(answer), REWIND_TIMEOUT_SECONDS)
        except TimeoutError:
            raise UpstreamTimeout("Claude Code did not take a conversation back in time.") from None
        if payload.get("rewound") is not True:
            raise UpstreamFailed(
                f"Claude Code did not take a conversation back: {payload.get('reason') or 'no reason'}."
            )
        # It may have died behind its answer.
        if self.death is not None:
            raise self.death
        self._in_turn = self._rewinding = False
        self._held_calls.clear()
        self._early_results.clear()
        self._ordered_results.clear()
        self._unconfirmed_result = None

    def give_results(self, blocks: Sequence[Block], *, one_by_one: bool = False) -> None:
        """Continue the turn: answer held calls with the client's `tool_result`s.

        Results given together join the transcript in the order of their calls (CLI 2.1.330). To keep another order
        they must be given `one_by_one`, each after the CLI has confirmed the one before.
        """
        self._begin_turn()
        if one_by_one:
            self._ordered_results.extend(blocks)
            self._give_next_result()
            return
        for block in blocks:
            call = self._held_calls.pop(block["tool_use_id"], None)
            if call is None:
                self._early_results[block["tool_use_id"]] = block
            else:
                self._answer_call(call, block)

    def _give_next_result(self) -> None:
        """Give the next ordered result if it is due."""
        # Called at each step that may have been the missing one: new results, a new call, a confirmation.
        if self._unconfirmed_result is not None or not self._ordered_results:
            return
        call = self._held_calls.pop(self._ordered_results[0]["tool_use_id"], None)
        if call is not None:
            block = self._ordered_results.popleft()
            self._unconfirmed_result = block["tool_use_id"]
            self._answer_call(call, block)

    def end_turn(self) -> None:
        """End the turn: from now on any message of the CLI is a runaway."""
        self._in_turn = False

    async def next_item(self, max_wait: float) -> TurnItem:
        """Wait `max_wait` seconds for the turn's next item. Raises `UpstreamTimeout`."""
        # One read brings many events: only the first of them needs a timer.
        if not self._turn_items.empty():
            return self._turn_items.get_nowait()
        try:
            return await asyncio.wait_for(self._turn_items.get(), max_wait)
        except TimeoutError:
            raise UpstreamTimeout(f"Claude sent nothing for {max_wait:.0f} seconds.") from None

    def _begin_turn(self) -> None:
        # A new queue: what the last turn left unread must not be read as a part of this one.
        self._turn_items = asyncio.Queue()
        self._in_turn = True
        # A process that died between two turns has put its death into the old queue.
        if self.death is not None:
            self._turn_items.put_nowait(self.death)

    def _handle_message(self, message: Incoming) -> None:
        match message:
            case Streamed():
                self._handle_event(message)
            case Result() if receipts := message.message_uuids & self._receipts.keys():
                for receipt in map(self._receipts.__getitem__, receipts):
                    # Done if it timed out or its request was cancelled, and `replay_user` has not yet removed it.
                    if not receipt.done():
                        receipt.set_result(message)
            case ResultsTaken(call_ids):
                if self._unconfirmed_result in call_ids:
                    self._unconfirmed_result = None
                    self._give_next_result()
            case Result() | AssistantError() | ToolsOffered():
                if isinstance(message, Result) and message.cost_usd is not None:
                    self.cost_usd = message.cost_usd
                if self._rewinding:
                    pass  # What is left of the turn that is taken back.
                elif self._in_turn:
                    self._turn_items.put_nowait(message)
                # Outside a turn only a result matters: it ends a turn that the CLI ran by itself.
                elif isinstance(message, Result):
                    self._kill_runaway()
            case ControlAnswer():
                self._handle_control_answer(message)
            case ControlRequest():
                self._handle_control_request(message)
            case RateLimits(info):
                self.limits = info
                self._on_limits(info)

    def _handle_event(self, message: Streamed) -> None:
        begins = message.event.get("type") == "message_start"
        if self._rewinding:
            return
        if begins and (not self._in_turn or self._early_results or self._ordered_results):
            self._kill_runaway()
        elif self._in_turn:
            self._message_has_output = not begins and (self._message_has_output or _has_output(message.event))
            self._answers_itself = not begins and (self._answers_itself or mcp.is_undispatchable_call(message.event))
            is_kept = self._message_has_output and not self._answers_itself
            if not self.api_blocked and _is_auto_continued(message.event, is_kept):
                # Not by the reader of the turn: the CLI asks again within 2 ms, less than the way through the queue may
                # take.
                self.process.kill()
            self._turn_items.put_nowait(message)

    def _kill_runaway(self) -> None:
        log.warning("claude %d continued by itself and was killed", self.process.pid)
        self.process.kill()

    def _handle_control_answer(self, answer: ControlAnswer) -> None:
        future = self._answers.pop(answer.request_id, None)
        # Done if the caller of `send_control` has cancelled it.
        if future is None or future.done():
            return
        if answer.error is None:
            future.set_result(answer.payload)
        else:
            future.set_exception(UpstreamFailed(f"Claude Code refused a control request: {answer.error}."))

    def _handle_control_request(self, request: ControlRequest) -> None:
        if request.subtype != "mcp_message":
            self.process.write(wire.control_refusal(request.request_id, f"{request.subtype} is not supported"))
            return
        message = request.request["message"]
        reply = mcp.answer_message(message, self.tools)
        if reply is not None:
            self.process.write(wire.control_answer(request.request_id, {"mcp_response": reply}))
        elif (block := self._early_results.pop(mcp.call_id(message), None)) is not None:
            self._answer_call(request, block)
        else:
            self._held_calls[mcp.call_id(message)] = request
            self._give_next_result()

    def _answer_call(self, call: ControlRequest, block: Block) -> None:
        reply = mcp.tool_call_result(call.request["message"], block)
        self.process.write(wire.control_answer(call.request_id, {"mcp_response": reply}))

    def _handle_exit(self, death: ProcessDied) -> None:
        self.death = death
        # Resolve all that waits: no further line of the process can.
        waiting: list[asyncio.Future[Any]] = [*self._answers.values(), *self._receipts.values()]
        for future in waiting:
            if not future.done():
                future.set_exception(death)
                future.exception()  # marks it as read, see `send_control`
        self._answers.clear()
        # Behind the events that came before: a turn whose end has already been read is still complete.
        self._turn_items.put_nowait(death)
        self._on_death()


def _has_output(event: StreamEvent) -> bool:
    """Whether the event brings visible output: text or a tool call, but not thinking."""
    block, delta = event.get("content_block") or {}, event.get("delta") or {}
    return block.get("type") == "tool_use" or any((part.get("text") or "").strip() for part in (block, delta))


def _is_auto_continued(event: StreamEvent, is_kept: bool) -> bool:
    """Whether this event ends a message after which the CLI continues by itself.

    `is_kept`: the message has output, and no call that the CLI would answer itself.
    """
    reason = stop_reason_of(event)
    return reason in AUTO_CONTINUED_REASONS or (reason is not None and not is_kept)


async def wait_for_answer(answer: PendingAnswer, subtype: str) -> dict[str, Any]:
    """Wait for a control request's answer. Raises also `UpstreamTimeout`."""
    # Shielded: a caller that gives up must not cancel the answer for others.
    try:
        return await asyncio.wait_for(asyncio.shield(answer), CONTROL_TIMEOUT_SECONDS)
    except TimeoutError:
        raise UpstreamTimeout(f"Claude Code did not answer the control request {subtype!r}.") from None
