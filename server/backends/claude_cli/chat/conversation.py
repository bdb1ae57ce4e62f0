"""A conversation: a process bound to model, system prompt and tools."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from server.backends.base import stopping_error
from server.backends.claude_cli.chat import replay
from server.backends.claude_cli.chat.answer_events import all_dispatchable, fold_event, has_text, is_text
from server.backends.claude_cli.chat.continuation import ConversationKey, ProcessBinding, tool_results
from server.backends.claude_cli.chat.failures import turn_error
from server.backends.claude_cli.chat.interrupt import interrupt_turn
from server.backends.claude_cli.chat.likely_setup import LikelySetup
from server.backends.claude_cli.chat.parameters import bypasses_transcript
from server.backends.claude_cli.chat.recycling import BEGIN, Plan, Wear, is_passing, plan_rest
from server.backends.claude_cli.chat.setup import ProcessSetup, wait_for_all
from server.backends.claude_cli.chat.silent_turn import run_silent_turn
from server.backends.claude_cli.chat.trail import Trail, UserLine
from server.backends.claude_cli.facilities import Facilities, Facility
from server.backends.claude_cli.transport import mcp_tools as mcp
from server.backends.claude_cli.transport.channel import Channel, PendingAnswer, wait_for_answer
from server.backends.claude_cli.transport.process import CliProcess
from server.backends.claude_cli.transport.wire import AssistantError, Result, Streamed, ToolsOffered
from server.core.errors import ProcessDied, UpstreamFailed, UpstreamTimeout
from server.core.messages import (
    Events,
    Message,
    MessageFold,
    MessagesRequest,
    StreamEvent,
    client_tools,
    is_server_block,
    native_tool_names,
    stop_reason_of,
    text_block,
)
from server.core.tasks import spawn
from server.core.transcript import CanonicalTurn, canonical_messages, split_prefix

ConversationState = Literal["parked", "idle", "busy", "holding", "closed"]
OnResult = Callable[[Result], None]
"""Gets the result of a complete turn."""

OUTPUT_TIMEOUT_SECONDS = 600.0
"""Longest silence outside text: models think for minutes, and a tool's input may arrive in one piece.

The API's pings do not help: the CLI (2.1.330) does not pass them on.
"""
TEXT_TIMEOUT_SECONDS = 120.0
"""Longest silence within a text block, where words arrive continuously."""
RESULT_TIMEOUT_SECONDS = 10.0
"""Longest wait for the CLI's own end of a turn after the stop reason. Takes milliseconds on an idle computer."""
BLOCK_API_AFTER_SECONDS = 0.1
SHORT_ANSWER_TOKENS = 64
"""With `max_tokens` up to this, an answer may end before `BLOCK_API_AFTER_SECONDS`."""
WARM_UP = [text_block("Hello")]
"""The question of a turn that nobody is asked."""
MAX_ONE_OFFS = 100
"""Number of one-offs that a process serves: its own transcript, which no model reads, grows with each."""
CLEAN_ENDS = frozenset({"end_turn", "stop_sequence"})


@dataclass(frozen=True, slots=True)
class LaunchOptions:
    """Parameters for starting a process. For `base_url` see `parameters.flag_settings`."""

    command: Sequence[str]
    environment: Mapping[str, str]
    directory: Path
    base_url: str | None = None
    likely: LikelySetup = field(default_factory=LikelySetup)
    """What to park it with."""
    full_model_id: Callable[[str], str] = lambda model: model
    """The id of a model by any of its names."""
    facilities: Facilities = field(default_factory=Facilities)


class Conversation:
    """Parked until its first request, then busy, idle, or holding tool calls.

    `session_id` is the session of the latest request, `last_used` a monotonic time. A `stale` conversation is not
    kept after its current answer.
    """

    def __init__(
        self, on_change: Callable[[], None], base_url: str | None, on_result: OnResult = lambda result: None
    ) -> None:
        self.state: ConversationState = "parked"
        self.session_id: str | None = None
        self.last_used = time.monotonic()
        self.stale = False
        # Whether a new process would be like it. Otherwise it serves its conversation to the end, and no other.
        self._is_current = True
        self._on_change = on_change
        self._on_result = on_result
        self._base_url = base_url
        self._facilities = Facilities()
        self._binding: ProcessBinding | None = None
        # The transcript, and as a client sees it whose dialect has no blocks of server tools.
        self._transcript: tuple[CanonicalTurn, ...] = ()
        self._visible_transcript: tuple[CanonicalTurn, ...] = ()
        # Ids of the calls that wait for the client's results, in the message's order: results in another order must
        # be given one by one.
        self._held_calls: tuple[str, ...] = ()
        self._trail = Trail()
        self._wear = Wear()
        # How the claimed process gets to its request; None: it continues the conversation.
        self._plan: Plan | None = BEGIN
        # Whether the turn may be taken back: from its question on, until something happens that only a kill ends.
        self._is_recyclable = False
        # Allows one timer per turn.
        self._block_scheduled = False
        # The CLI reports the cost of all turns so far; the difference is that of one turn.
        self._total_cost = 0.0
        # Number of the latest claim. The next request may claim the conversation while the previous one still hands
        # out its last events; timers and clean-up of that one compare the number before they touch anything.
        self._lease = 0
        # Number of one-offs served. From the first on, the CLI's transcript is no client's.
        self._one_offs = 0
        # Whether the CLI has begun the turn, see `interrupt_turn`.
        self._turn_begun = False
        # Whether the turn ended with an error after which the process is as good as before.
        self._ended_in_passing = False
        self._recovery: asyncio.Task[None] | None = None
        self._stopping = False
        self._full_model_id: Callable[[str], str]
        self._program: str  # path of the CLI, for hints that name it
        self._channel: Channel
        self._setup: ProcessSetup
        self._likely: LikelySetup
        self._parked: PendingAnswer

    @classmethod
    async def start(
        cls,
        launch: LaunchOptions,
        *,
        on_change: Callable[[], None],
        on_limits: Callable[[dict[str, Any]], None],
        on_result: OnResult = lambda result: None,
    ) -> "Conversation":
        """Start a process without waiting until it is ready. Raises `CliNotFound`."""
        conversation = cls(on_change, launch.base_url, on_result)
        conversation._channel = await Channel.open(
            launch.command,
            launch.environment,
            launch.directory,
            on_limits=on_limits,
            on_death=conversation._handle_exit,
        )
        conversation._facilities = launch.facilities
        conversation._setup = ProcessSetup(
            conversation._channel,
            launch.likely.flags,
            launch.base_url,
            launch.environment.get("ANTHROPIC_BETAS", ""),
            launch.facilities,
        )
        conversation._full_model_id = launch.full_model_id
        conversation._program = launch.command[0]
        conversation._likely = launch.likely
        conversation._parked = conversation._setup.park()
        return conversation

    async def wait_until_ready(self) -> None:
        """Wait until the process answers. Raises `ProcessDied`, `UpstreamTimeout`."""
        await wait_for_answer(self._parked, "apply_flag_settings")

    async def warm_up(self) -> None:
        """Let a parked process load what a first turn needs, and give it the likely system prompt and tools.

        The first turn of a process takes 0.1 s of one core longer than later ones, because code is loaded on first use.
        Raises `ProcessDied`, `UpstreamTimeout`, `UpstreamFailed`; kill the process then.
        """
        if not self._setup.can_warm_up or Facility.RECYCLE not in self._facilities:
            return
        try:
            await wait_for_all([self._setup.initialize([], [])])
            # The CLI reads them before its first call, also if that reaches nobody.
            self._wear.betas = self._setup.betas
            uuid = await run_silent_turn(self._channel, self._setup, WARM_UP)
            await self._channel.finish_rewind(self._channel.send_rewind(uuid))
            likely = self._likely
            await wait_for_all(self._setup.replace(likely.model, likely.system, list(likely.tools)))
        except UpstreamFailed as error:
            self._facilities.withdraw(Facility.DRY_TURN, error.message)
            raise

    @property
    def is_free(self) -> bool:
        """Whether it can be claimed or evicted."""
        return self.state in ("idle", "holding")

    @property
    def process(self) -> CliProcess:
        """The process, for its id, memory and end."""
        return self._channel.process

    @property
    def is_vacant(self) -> bool:
        """Whether it is free for one-offs, and for nothing else."""
        return self._one_offs > 0 and self.state == "idle"

    @property
    def is_new(self) -> bool:
        """Whether it has served no conversation."""
        return self._wear.conversations == 0

    def recovery_for(self, key: ConversationKey) -> asyncio.Task[None] | None:
        """The end of a turn after which it may serve this request; None if there is none."""
        if self._recovery is None or self.state != "busy" or self._binding != key.binding:
            return None
        known = self._visible_transcript if key.hides_server_blocks else self._transcript
        return self._recovery if key.is_one_off or known == key.prefix[: len(known)] else None

    def continues(self, key: ConversationKey) -> bool:
        """Whether the request continues this conversation, with an equal history, or may use the vacant process."""
        if key.is_one_off:
            return self.is_vacant and self._binding == key.binding
        return (
            self.is_free
            and not self._one_offs
            and self._binding == key.binding
            and (self._visible_transcript if key.hides_server_blocks else self._transcript) == key.prefix
            and key.resolves_held_calls(self._held_calls)
        )

    def plan(self, key: ConversationKey, request: MessagesRequest) -> Plan | None:
        """How it can serve the request with a part of what it knows; None if it cannot."""
        mine = self._binding
        if not self._is_reusable or mine is None or self._one_offs or key.is_one_off or key.bypasses_transcript:
            return None
        if replace(mine, system="") != replace(key.binding, system="") or not self._setup.can_become(key.binding):
            return None
        known = self._visible_transcript if key.hides_server_blocks else self._transcript
        return plan_rest(self._trail, known, key, request, holds=self.state == "holding")

    def plan_restart(self, key: ConversationKey) -> Plan | None:
        """How it can serve the request as if it were new; None if it cannot."""
        if not self._is_reusable or self._trail.first is None or self._wear.is_worn_out or not self.can_begin(key):
            return None
        return Plan(self._trail.first, 0)

    @property
    def _is_reusable(self) -> bool:
        return self.is_free and not self.stale and not self._wear.refused and self._can_rewind

    @property
    def _can_rewind(self) -> bool:
        # The verdicts are on the present program.
        return self._is_current and Facility.RECYCLE in self._facilities

    def can_begin(self, key: ConversationKey) -> bool:
        """Whether a request without a trace of what it served before can be sent."""
        return self._wear.allows(key.binding) and self._setup.can_become(key.binding)

    def is_prepared_for(self, request: MessagesRequest) -> bool:
        """Whether system prompt and tools of the request are in force."""
        return self._setup.is_as(ProcessBinding.from_request(request), client_tools(request.tools))

    def claim(self, request: MessagesRequest, plan: Plan | None = None) -> None:
        """Reserve it for a request, which continues the conversation if there is no plan. It must be parked or free."""
        self.session_id = request.session_id
        self.state = "busy"
        self._plan = plan
        self._lease += 1

    async def stream_answer(self, request: MessagesRequest) -> Events:
        """Run the turn of a claimed `request` and yield the events of one message.

        If the turn fails or is closed early, the transcript differs from the client's: the turn is taken back, or the
        process is killed. A one-off has no transcript: its turn is at least interrupted when it is closed early.
        """
        lease, closed_early = self._lease, False
        self._is_recyclable = False
        try:
            flags = await self._send_request(request)
            self._is_recyclable = True
            async with aclosing(self._run_turn(request, flags)) as events:
                async for event in events:
                    yield event
        except (GeneratorExit, asyncio.CancelledError):
            closed_early = True
            raise
        except (UpstreamTimeout, UpstreamFailed):
            self._is_recyclable = self._is_recyclable and self._ended_in_passing
            raise
        except ProcessDied as death:
            # Killed by `stop`: the client reads that the server stops, and not that a process crashed.
            if self._stopping:
                raise stopping_error() from death
            raise
        finally:
            # The conversation is free again before its last events are yielded. If another request has claimed it
            # since, "busy" is that request's, and a kill would end its turn.
            if self.state == "busy" and self._lease == lease:
                self._give_back(interrupt=closed_early and request.is_one_off)

    async def _send_request(self, request: MessagesRequest) -> PendingAnswer | None:
        """Send the question and what must precede it. Returns the answer to flags.

        Settings go first: the CLI reads its input in order, so they are in force when the question reaches it.
        """
        self._turn_begun = self._ended_in_passing = False
        if self._plan is not None:
            return await self._begin(request, self._plan)
        self._one_offs += request.is_one_off
        flags, channel = self._setup.set_flags(request), self._channel
        if request.is_one_off:
            self._trail.add(channel.start_turn(replay.PLACEHOLDER.content), 0)
            return flags
        _, new_messages = split_prefix(request.messages)
        if results := tool_results(new_messages):
            in_order = [block["tool_use_id"] for block in results] == list(self._held_calls)
            channel.give_results(results, one_by_one=not in_order)
        else:
            content = [block for message in new_messages for block in message["content"]]
            self._trail.add(channel.start_turn(content), len(self._transcript))
        return flags

    async def _begin(self, request: MessagesRequest, plan: Plan) -> PendingAnswer | None:
        """Take back what the request does not know, replay what the process does not know, and ask."""
        if plan.line is not None and not await self._take_back(plan.line, self._channel.send_rewind(plan.line.uuid)):
            self.kill()
            raise UpstreamFailed("Claude Code could not take a conversation back.")
        # A question in front of a refused setting would be asked with what was in force for another conversation.
        asks_at_once = not self._setup.is_initialized
        # After the take-back, which forgets the one-offs before this one.
        self._one_offs += request.is_one_off
        self._wear.conversations += plan.turns == 0
        self._binding = ProcessBinding.from_request(request)
        self._wear.note_turn(self._binding)
        answers = self._setup.bind(request)
        if not asks_at_once:
            await wait_for_all(answers)
        await self._replay(request, plan.turns)
        if asks_at_once:
            # Only now: waiting before the question was sent would add a round trip to every first turn.
            await wait_for_all(answers)
        return None

    async def _replay(self, request: MessagesRequest, turns: int) -> None:
        """Send the turns of the request after the first ones, the last of them as the question."""
        past, question = (
            replay.split_turns(request.messages, native_tool_names(request.tools))
            if not bypasses_transcript(request)
            else ([], replay.PLACEHOLDER)
        )
        is_divisible = replay.is_divisible(request.messages)
        if past and turns == 0 and self._trail.first is None and await self._replay_first_line(past[0]):
            turns = 1
        for index, turn in enumerate(past[turns:], turns):
            if turn.role == "assistant":
                self._channel.replay_assistant(turn.content, self._full_model_id(request.model))
                continue
            uuid = await self._channel.replay_user(turn.content)
            if is_divisible or self._trail.first is None:
                self._trail.add(uuid, index)
        if past:
            self._remember(split_prefix(request.messages)[0])
        self._trail.add(self._channel.start_turn(question.content), len(self._transcript))

    async def _replay_first_line(self, turn: replay.ReplayTurn) -> bool:
        """Replay the first user turn as one that was asked; False if that is not possible.

        Behind a first line that was only replayed the CLI puts its notes elsewhere than in the conversation as it was
        lived, and the API's prompt cache would know nothing of it.
        """
        if turn.role != "user" or self._base_url is None or Facility.CACHED_REPLAY not in self._facilities:
            return False
        try:
            self._trail.add(await run_silent_turn(self._channel, self._setup, turn.content), 0)
        except (UpstreamFailed, UpstreamTimeout) as error:
            if isinstance(error, UpstreamFailed):
                self._facilities.withdraw(Facility.CACHED_REPLAY, error.message)
            self.kill()
            raise
        return True

    async def _run_turn(self, request: MessagesRequest, flags: PendingAnswer | None) -> Events:
        # Not the client's answer, which `Generation` folds, but what the CLI said: before tools and their arguments
        # get the client's names back. The next request is compared with it, and before the last events leave it
        # decides whether the process is kept.
        fold, report = MessageFold(), None
        allowed_silence = OUTPUT_TIMEOUT_SECONDS
        while True:
            item = await self._channel.next_item(allowed_silence)
            match item:
                case Streamed(event) if event.get("type") == "message_start":
                    # If these settings were refused, those of the last request are still in force. Checked here and not
                    # before the question, which saves a round trip.
                    if flags is not None:
                        await wait_for_answer(flags, "apply_flag_settings")
                    yield fold_event(fold, event)
                case Streamed(event) if stop_reason_of(event) is not None:
                    fold_event(fold, event)
                    # Held back until the process is free or killed: a client that continues on the last byte must find
                    # its conversation.
                    for last in await self._finish_turn(request, fold, event):
                        yield last
                    return
                case Streamed(event) if event.get("type") in ("message_delta", "message_stop"):
                    # A message that ends without a reason was cut. Unless the CLI reported an error, it starts another
                    # message by itself: the client must not get both.
                    if report is None:
                        # Blocked, the CLI cannot start that message.
                        self._ended_in_passing = self._channel.api_blocked
                        raise UpstreamFailed("The connection to Claude was lost in the middle of the answer.")
                case Streamed(event):
                    event = fold_event(fold, event)
                    allowed_silence = TEXT_TIMEOUT_SECONDS if is_text(event) else OUTPUT_TIMEOUT_SECONDS
                    yield event
                    if event.get("type") == "content_block_start":
                        self._schedule_api_block(request)
                case ToolsOffered(names):
                    self._turn_begun = True
                    self._check_tools(names, request)
                case AssistantError():
                    report = item
                case Result(is_error=False):
                    # Seen after a transient 404: the CLI asked again without a stream. The status prevents a retry,
                    # because this answer has been paid for.
                    raise UpstreamFailed("Claude's answer did not come as a stream.", upstream_status=502)
                case Result():
                    self._ended_in_passing = is_passing(item)
                    raise turn_error(item, report, self._channel.limits, time.time(), cli=self._program)
                case ProcessDied():
                    raise item

    def _check_tools(self, names: frozenset[str], request: MessagesRequest) -> None:
        """Raise if a client's tool is missing: the CLI would answer its calls."""
        lost = [tool["name"] for tool in client_tools(request.tools) if mcp.PREFIX + tool["name"] not in names]
        if lost:
            self.kill()
            raise UpstreamFailed(
                f"Claude Code did not accept {len(lost)} of the request's {len(request.tools)} tools: "
                f"{', '.join(lost[:10])}.",
                hint="Send the request without them, and report this with your version of Claude Code.",
            )

    def _schedule_api_block(self, request: MessagesRequest) -> None:
        """Cut the CLI off from the API once an answer is under way.

        Delayed unless the answer may be short, because it interrupts the CLI's writing for 20 ms.
        """
        if self._block_scheduled or self._base_url is None:
            return
        self._block_scheduled = True
        lease, at_once = self._lease, (request.max_tokens or SHORT_ANSWER_TOKENS + 1) <= SHORT_ANSWER_TOKENS
        loop = asyncio.get_running_loop()
        loop.call_later(0.0 if at_once else BLOCK_API_AFTER_SECONDS, self._block_api, lease)

    def _block_api(self, lease: int) -> None:
        # The timer is not cancelled at the end of a turn: it may fire while the process rests (state), or in the turn
        # of a later request (lease).
        if self.state == "busy" and self._lease == lease:
            self._setup.block_api()

    def _unblock_api(self) -> None:
        self._block_scheduled = False
        self._setup.unblock_api()

    async def _finish_turn(self, request: MessagesRequest, fold: MessageFold, delta: StreamEvent) -> list[StreamEvent]:
        """Free or kill the process and return the last two events."""
        reason = stop_reason_of(delta)
        content = fold.content
        answer: Message = {"role": "assistant", "content": content}
        messages = [*request.messages, answer]
        kept = False
        if bypasses_transcript(request) and not request.is_one_off:
            pass  # The process does not know the conversation.
        elif reason == "tool_use" and all_dispatchable(content, request):
            if replay.is_kept_exactly(answer, request.messages) and await self._wait_for_message_stop():
                self._held_calls = tuple(block["id"] for block in content if block["type"] == "tool_use")
                kept = self._keep_process("holding", messages)
        elif reason in CLEAN_ENDS and has_text(content) and (result := await self._wait_for_result()) is not None:
            delta = self._with_cost(delta, result)
            self._held_calls = ()
            kept = replay.is_kept_exactly(answer, request.messages) and self._keep_process("idle", messages)
        # Not `self.state == "busy"`: a request that waited in the pool may have claimed the kept process just now.
        if not kept:
            self._wear.refused = self._wear.refused or reason == "refusal"
            self._give_back()
        # No await since `_keep_process`: that request has not begun its turn, which this would end.
        self._channel.end_turn()
        return [delta, {"type": "message_stop"}]

    def _keep_process(self, state: ConversationState, messages: Sequence[Message]) -> bool:
        """Make the process available for the continuation. False if it is dead, stale or worn out."""
        if self._channel.death is not None or self.stale or self._one_offs >= MAX_ONE_OFFS:
            return False
        self._unblock_api()
        self._remember(messages)
        self._wear.resident_bytes = self.process.resident_bytes()
        self.last_used = time.monotonic()
        # Last, because the pool may grant the conversation within `on_change`: `continues` must see the new transcript
        # and held calls, and the next request's settings must follow the restored address.
        self.state = state
        self._on_change()
        return True

    def _remember(self, messages: Sequence[Message]) -> None:
        """Note what the process's transcript holds."""
        self._transcript = canonical_messages(messages)
        has_hidden = any(is_server_block(block) for message in messages for block in message["content"])
        self._visible_transcript = canonical_messages(messages, server_blocks=False) if has_hidden else self._transcript

    def _give_back(self, *, interrupt: bool = False) -> None:
        """End a turn that is not kept: take it back, or else `interrupt` a one-off, or else kill the process."""
        line, process = self._trail.last, self._channel.process
        usable = self._channel.death is None and not process.is_killed and not self.stale and not self._stopping
        takes_back = self._is_recyclable and not self._wear.refused and self._can_rewind
        if not usable or (not interrupt and not takes_back):
            self.kill()
            return
        # Timers of this turn compare the lease: they must not touch the process any more.
        self._lease += 1
        if takes_back and line is not None:
            # Sent at once: what the CLI says until the answer must not be taken for a turn of its own.
            ending = self._recover_by_rewind(line, self._channel.send_rewind(line.uuid))
        else:
            ending = self._recover_by_interrupt()
        self._recovery = spawn(ending, name="end a turn")

    async def _take_back(self, line: UserLine, answer: PendingAnswer) -> bool:
        """Wait until the transcript ends before a line. If it is False, the process must be killed."""
        try:
            await self._channel.finish_rewind(answer)
        except UpstreamFailed as error:
            self._facilities.withdraw(Facility.RECYCLE, error.message)
            return False
        except (UpstreamTimeout, ProcessDied):  # a busy computer, or a process of which nothing is left
            return False
        self._trail.cut(line)
        self._transcript = self._transcript[: line.turns_before]
        self._visible_transcript = self._visible_transcript[: line.turns_before]
        self._held_calls = ()
        self._total_cost = self._channel.cost_usd
        if self._trail.first is None:
            self._one_offs = 0
        return True

    async def _recover_by_rewind(self, line: UserLine, answer: PendingAnswer) -> None:
        """Take the turn back and make the process available for what came before it."""
        rewound = await self._take_back(line, answer)
        # `stop` may have closed the conversation meanwhile.
        if self.state != "busy":
            return
        self._recovery = None
        self._wear.resident_bytes = self.process.resident_bytes()
        is_new = self._trail.first is None
        if (
            not rewound
            or self.stale
            or not self._is_current
            or (is_new and self._wear.is_worn_out)
            or self._one_offs >= MAX_ONE_OFFS
        ):
            self.kill()
            return
        self._unblock_api()
        self.last_used = time.monotonic()
        self.state = "parked" if is_new else "idle"
        self._on_change()

    async def _recover_by_interrupt(self) -> None:
        """Interrupt the turn of a one-off whose client has left, and make the process vacant; else kill it."""
        result = await interrupt_turn(self._channel, begun=self._turn_begun)
        # `stop` may have closed the conversation meanwhile; its death then was the last item.
        if self.state != "busy":
            return
        self._recovery = None
        self._channel.end_turn()
        if result is not None and result.cost_usd is not None:
            # Otherwise the next request would be charged for this one.
            self._total_cost = result.cost_usd
        if result is None or not self._keep_process("idle", []):
            self.kill()

    async def _wait_for_message_stop(self) -> bool:
        """Wait for the message's end, when the CLI awaits results. False if it fails."""
        with suppress(UpstreamTimeout):
            while not isinstance(item := await self._channel.next_item(RESULT_TIMEOUT_SECONDS), ProcessDied | Result):
                if isinstance(item, Streamed) and item.event.get("type") == "message_stop":
                    return True
        return False

    async def _wait_for_result(self) -> Result | None:
        """Wait for the turn's result, after which the next may start. None if it fails."""
        with suppress(UpstreamTimeout):
            while not isinstance(item := await self._channel.next_item(RESULT_TIMEOUT_SECONDS), ProcessDied):
                if isinstance(item, Result):
                    return None if item.is_error else item
                # The CLI has started another message by itself.
                if isinstance(item, Streamed) and item.event.get("type") == "message_start":
                    return None
        return None

    def _with_cost(self, delta: StreamEvent, result: Result) -> StreamEvent:
        self._on_result(result)
        if result.cost_usd is None:
            return delta
        cost, self._total_cost = result.cost_usd - self._total_cost, result.cost_usd
        return {**delta, "cost_usd": max(0.0, cost)}

    def mark_outdated(self) -> None:
        """Serve no other conversation, and take nothing back: program, login or facilities have changed."""
        self._is_current = False

    def mark_stale(self) -> bool:
        """Do not keep it after its answer. Returns whether it can be ended now."""
        self.stale = True
        return self.is_free

    def kill(self) -> None:
        """Kill the process."""
        self.close()
        self._channel.process.kill()

    def close(self) -> bool:
        """Make it unavailable. Returns whether its process has no work."""
        resting = self.state in ("parked", "idle")
        if self.state != "closed":
            # Before `on_change`, in which the pool grants and evicts what looks free.
            self.state = "closed"
            self._on_change()
        return resting

    async def stop(self) -> None:
        """End the process, in order or by a kill if it has work, and wait for its end.

        At the end of its input the CLI treats held tool calls as failed and asks the model what to do.
        """
        # Before the kill: the turn that reads the death reports why.
        self._stopping = True
        if not self.close():
            self._channel.process.kill()
        await self._channel.process.stop()

    def _handle_exit(self) -> None:
        # A running turn reads the death behind the events that came before it, and then closes the conversation.
        if self.state != "busy":
            self.close()
