"""A process and the protocol on it: control requests and their answers, receipts, held tool calls, the running turn."""

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
from server.core.messages import Block, StreamEvent, Tool

log = logging.getLogger(__name__)

CONTROL_TIMEOUT_SECONDS = 60.0
AUTO_CONTINUED_REASONS = frozenset({"max_tokens", "refusal", "model_context_window_exceeded", "pause_turn"})
"""Where an API would stop, the CLI asks the model again by itself, up to three times; it does so, too, after a message
that shows nothing, whatever its end."""

PendingAnswer = asyncio.Future[dict[str, Any]]
"""The answer to a control request, when it has come."""

TurnItem = Streamed | AssistantError | Result | ToolsOffered | ProcessDied


class Channel:
    """What one CLI process is asked and says.

    While a turn runs its lines wait in a queue for `next_item`. What comes of a turn when none runs is the CLI going
    on by itself, at the user's cost: the process is ended at once. The same holds for a message that begins while a
    result of the client's has not been asked for: the CLI has answered that call by itself.
    """

    def __init__(self, on_limits: Callable[[dict[str, Any]], None], on_death: Callable[[], None]) -> None:
        self.limits: dict[str, Any] = {}
        self.death: ProcessDied | None = None
        self.tools: Sequence[Tool] = ()
        self._on_limits = on_limits
        self._on_death = on_death
        self._ids = itertools.count(1)
        self._answers: dict[str, PendingAnswer] = {}
        self._receipts: dict[str, asyncio.Future[Result]] = {}
        self._held_calls: dict[str, ControlRequest] = {}
        self._early_results: dict[str, Block] = {}
        """Results whose `tools/call` has not come yet: the client may be faster than the CLI."""
        self._ordered_results: deque[Block] = deque()
        """Results that are given one after the other; the first may have been given and not yet been taken."""
        self._unconfirmed_result: str | None = None
        self._turn_items: asyncio.Queue[TurnItem] = asyncio.Queue()
        self._in_turn = False
        self._message_has_output = False
        """Whether the message that is being written has come to something: text, or a tool call."""
        self._process: CliProcess

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
        channel._process = await CliProcess.start(
            command, environment, directory, on_message=channel._handle_message, on_exit=channel._handle_exit
        )
        return channel

    @property
    def process(self) -> CliProcess:
        """The process behind it."""
        return self._process

    def send_control(self, subtype: str, **fields: Any) -> PendingAnswer:
        """Send a control request and do not wait; the answer comes into what is returned.

        It fails with `ProcessDied`, or with `UpstreamFailed` when the CLI refuses.
        """
        request_id = f"r{next(self._ids)}"
        future: PendingAnswer = asyncio.get_running_loop().create_future()
        if self.death is not None:
            future.set_exception(self.death)
        else:
            self._answers[request_id] = future
            self._process.write(wire.control_request(request_id, subtype, **fields))
        # Whoever is not interested in an answer need not look at its failure.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        return future

    async def request_control(self, subtype: str, **fields: Any) -> dict[str, Any]:
        """Send a control request and wait for its answer."""
        return await wait_for_answer(self.send_control(subtype, **fields), subtype)

    async def replay_user(self, content: list[Block]) -> None:
        """Put a past user turn into the transcript and wait for its receipt: the order holds only so.

        Raises `ProcessDied`, `UpstreamTimeout`, and `UpstreamFailed` when the CLI does not take it.
        """
        uuid = str(uuid4())
        receipt: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._receipts[uuid] = receipt
        if self.death is not None:
            raise self.death
        self._process.write(wire.user_line(content, uuid, query=False))
        try:
            result = await asyncio.wait_for(receipt, CONTROL_TIMEOUT_SECONDS)
        except TimeoutError:
            raise UpstreamTimeout("Claude Code did not take the conversation's history.") from None
        finally:
            self._receipts.pop(uuid, None)
        if result.is_error:
            raise UpstreamFailed(f"Claude Code did not take the conversation's history: {result.text}.")

    def replay_assistant(self, content: list[Block], model: str) -> None:
        """Put a past assistant turn into the transcript."""
        self._process.write(wire.assistant_line(content, str(uuid4()), model))

    def start_turn(self, content: list[Block]) -> None:
        """Send the user turn that asks for an answer: a turn begins."""
        self._begin_turn()
        self._process.write(wire.user_line(content, str(uuid4()), query=True))

    def give_results(self, blocks: Sequence[Block], *, one_by_one: bool = False) -> None:
        """Answer held tool calls with the client's `tool_result` blocks: the turn goes on.

        Results that come together join the transcript in the order of their calls, whatever the order of the answers
        (CLI 2.1.330). So a client's different order needs them `one_by_one`: the next is given once the CLI has
        taken the one before.
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
        """Give the next of the ordered results, if its call is there and the result before it was taken."""
        if self._unconfirmed_result is not None or not self._ordered_results:
            return
        call = self._held_calls.pop(self._ordered_results[0]["tool_use_id"], None)
        if call is not None:
            block = self._ordered_results.popleft()
            self._unconfirmed_result = block["tool_use_id"]
            self._answer_call(call, block)

    def end_turn(self) -> None:
        """The client's answer is complete; from now on the CLI has nothing to say."""
        self._in_turn = False

    async def next_item(self, silence: float) -> TurnItem:
        """The next thing that happens in the turn. Raises `UpstreamTimeout` after `silence` seconds without any."""
        if not self._turn_items.empty():
            return self._turn_items.get_nowait()
        try:
            return await asyncio.wait_for(self._turn_items.get(), silence)
        except TimeoutError:
            raise UpstreamTimeout(f"Nothing came from Claude for {silence:.0f} seconds.") from None

    def _begin_turn(self) -> None:
        self._turn_items = asyncio.Queue()
        self._in_turn = True
        if self.death is not None:
            self._turn_items.put_nowait(self.death)

    def _handle_message(self, message: Incoming) -> None:
        match message:
            case Streamed():
                self._handle_event(message)
            case Result() if receipts := message.message_uuids & self._receipts.keys():
                for uuid in receipts:
                    self._resolve_receipt(uuid, message)
            case ResultsTaken(call_ids):
                if self._unconfirmed_result in call_ids:
                    self._unconfirmed_result = None
                    self._give_next_result()
            case Result() | AssistantError() | ToolsOffered():
                if self._in_turn:
                    self._turn_items.put_nowait(message)
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
        if begins and (not self._in_turn or self._early_results or self._ordered_results):
            self._kill_runaway()
        elif self._in_turn:
            self._message_has_output = not begins and (self._message_has_output or _has_output(message.event))
            if _is_auto_continued(message.event, self._message_has_output):
                # Here and not by who reads the turn: every moment counts.
                self._process.kill()
            self._turn_items.put_nowait(message)

    def _kill_runaway(self) -> None:
        log.warning("claude %d went on by itself and was ended", self._process.pid)
        self._process.kill()

    def _resolve_receipt(self, uuid: str, result: Result) -> None:
        receipt = self._receipts[uuid]
        if not receipt.done():
            receipt.set_result(result)

    def _handle_control_answer(self, answer: ControlAnswer) -> None:
        future = self._answers.pop(answer.request_id, None)
        if future is None or future.done():
            return
        if answer.error is None:
            future.set_result(answer.payload)
        else:
            future.set_exception(UpstreamFailed(f"Claude Code refused a control request: {answer.error}."))

    def _handle_control_request(self, request: ControlRequest) -> None:
        if request.subtype != "mcp_message":
            self._process.write(wire.control_refusal(request.request_id, f"{request.subtype} is not supported"))
            return
        message = request.request["message"]
        reply = mcp.answer_message(message, self.tools)
        if reply is not None:
            self._process.write(wire.control_answer(request.request_id, {"mcp_response": reply}))
        elif (block := self._early_results.pop(mcp.call_id(message), None)) is not None:
            self._answer_call(request, block)
        else:
            self._held_calls[mcp.call_id(message)] = request
            self._give_next_result()

    def _answer_call(self, call: ControlRequest, block: Block) -> None:
        reply = mcp.tool_call_result(call.request["message"], block)
        self._process.write(wire.control_answer(call.request_id, {"mcp_response": reply}))

    def _handle_exit(self, death: ProcessDied) -> None:
        self.death = death
        waiting: list[asyncio.Future[Any]] = [*self._answers.values(), *self._receipts.values()]
        for future in waiting:
            if not future.done():
                future.set_exception(death)
                future.exception()
        self._answers.clear()
        self._turn_items.put_nowait(death)
        self._on_death()


def _has_output(event: StreamEvent) -> bool:
    """Whether this is a part of what a message comes to; thinking is none."""
    block, delta = event.get("content_block") or {}, event.get("delta") or {}
    return block.get("type") == "tool_use" or any((part.get("text") or "").strip() for part in (block, delta))


def _is_auto_continued(event: StreamEvent, shown: bool) -> bool:
    """Whether the CLI would go on by itself after this end of a message."""
    reason = (event.get("delta") or {}).get("stop_reason") if event.get("type") == "message_delta" else None
    return reason in AUTO_CONTINUED_REASONS or (reason is not None and not shown)


async def wait_for_answer(answer: PendingAnswer, subtype: str) -> dict[str, Any]:
    """Wait for the answer to a control request. Raises as `Channel.post` says, and `UpstreamTimeout`."""
    try:
        return await asyncio.wait_for(asyncio.shield(answer), CONTROL_TIMEOUT_SECONDS)
    except TimeoutError:
        raise UpstreamTimeout(f"Claude Code did not answer the control request {subtype!r}.") from None
