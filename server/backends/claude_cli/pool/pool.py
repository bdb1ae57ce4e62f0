"""The process pool: idle spares, live conversations, and eviction when full."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from server.backends.base import stopping_error
from server.backends.claude_cli.chat.continuation import ConversationKey
from server.backends.claude_cli.chat.conversation import Conversation
from server.backends.claude_cli.chat.recycling import BEGIN, Plan
from server.backends.claude_cli.pool.queue import Grant, Queue, Waiter
from server.backends.claude_cli.pool.starter import Starter
from server.core.errors import DragomanError, QueueFull
from server.core.messages import MessagesRequest
from server.core.tasks import spawn

log = logging.getLogger(__name__)

RECOVERY_SECONDS = 0.25
"""Longest wait of a one-off for a process that is being interrupted: a new one takes longer."""
MEGABYTE = 1024 * 1024
REAP_SECONDS = 5.0
REFILL_SECONDS = 0.25
"""Delay between taking a spare and starting the next, so that the request has the cores first."""
UNUSED_SECONDS = 3600.0
"""Time without a request after which no spares are kept."""
FAN_OUT_SECONDS = 60.0
MAX_SPARES = 4
"""Bound of the spares beyond the setting while new conversations begin faster than spares are made."""
SPARE_BYTES = 110 * MEGABYTE
"""Memory that a spare adds to the other processes."""
SPARE_FAILURES = 3
"""Number of failed starts in a row after which spares wait until a request's own process has started."""


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """Bounds of the pool."""

    spares: int = 1
    max_conversations: int = 8
    max_memory_mb: int = 4096
    idle_seconds: float = 900.0
    hold_seconds: float = 600.0
    queue_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class PoolCounts:
    """State of the pool in figures. `live` includes the busy conversations."""

    spares: int
    live: int
    busy: int
    queued: int
    memory_bytes: int


class Pool:
    """Leases conversations to requests.

    A request gets the live conversation that it continues exactly, otherwise a fresh process: a spare or a new one.
    At most `max_conversations` are live. To make room, the free one that was unused longest is evicted; if none is
    free, the request waits its turn.

    All methods run on the event loop, and none awaits between a check and the change that rests on it.
    """

    def __init__(
        self,
        limits: PoolLimits,
        start: Callable[[], Awaitable[Conversation]],
        on_change: Callable[[], None],
    ) -> None:
        self.limits = limits
        self._on_change = on_change
        self._start = start
        # A process whose request leaves during the start becomes a spare.
        self._starter = Starter(self._start_in_epoch, on_orphan=self._park_spare)
        # Raised when processes must be replaced. A start that spans the change would otherwise bring up a process with
        # the old program, login or settings after the others have been ended.
        self._epoch = 0
        self._spares: deque[Conversation] = deque()
        # Starts in progress count as spares: a refill that comes during one must not start a second process.
        self._spares_starting = 0
        self._spare_failures = 0
        self._last_request = time.monotonic()
        # Times at which a new conversation found no spare.
        self._misses: deque[float] = deque(maxlen=MAX_SPARES)
        self._live: list[Conversation] = []
        # Slots granted to requests whose process has not come up. They count as live: between the grant and the first
        # use, which may be a second later, no other request may take the slot.
        self._reserved_slots = 0
        self._queue = Queue()
        # Checked after every wait, because `close` may have run during it.
        self._stopping = False
        self._reaper: asyncio.Task[None] | None = None
        # As of the last reaping: `counts` is called too often to ask the system each time.
        self._memory_bytes = 0

    def open(self) -> None:
        """Start the first spares and the reaper."""
        self._refill_spares()
        self._reaper = spawn(self._reap_forever(), name="claude pool")

    async def lease(self, request: MessagesRequest, *, fresh: bool = False) -> Conversation:
        """Claim a conversation for `request`; with `fresh`, one without a past.

        Raises `QueueFull` after `queue_seconds` without room, `Stopping`, `CliNotFound`, `ProcessDied`.
        """
        if self._stopping:
            raise stopping_error()
        self._last_request = time.monotonic()
        waiter = Waiter(request, ConversationKey.from_request(request), fresh)
        if not fresh:
            await self._wait_for_recovery(waiter.key)
        # Only if no request is waiting: otherwise this request would overtake the queue.
        if len(self._queue) == 0:
            self._try_grant(waiter)
        granted = waiter.granted.result() if waiter.granted.done() else await self._wait_for_grant(waiter)
        return granted or await self._fill_slot(waiter)

    def handle_change(self) -> None:
        """React to a conversation's new state: drop closed ones and serve the queue."""
        renewed = [conversation for conversation in self._live if conversation.state == "parked"]
        self._live = [one for one in self._live if one.state not in ("closed", "parked")]
        self._spares = deque(spare for spare in self._spares if spare.state == "parked")
        for conversation in renewed:
            self._keep_renewed(conversation)
        # More are live than allowed only if the bound was lowered.
        while len(self._live) + self._reserved_slots > self.limits.max_conversations and self._evict_one():
            pass
        while (head := self._queue.head()) is not None and self._try_grant(head):
            pass
        self._on_change()

    def _keep_renewed(self, conversation: Conversation) -> None:
        """Park a process whose only turn was taken back, in place of a spare that has no use yet."""
        allowed = max(1, self._wanted_spares())
        if self._stopping or conversation.stale:
            self._retire(conversation)
            return
        self._spares.appendleft(conversation)
        while len(self._spares) > allowed:
            self._retire(self._spares[-1])

    def counts(self) -> PoolCounts:
        """State of the pool; the memory figure is up to `REAP_SECONDS` old."""
        busy = sum(1 for conversation in self._live if not conversation.is_free)
        return PoolCounts(len(self._spares), len(self._live), busy, len(self._queue), self._memory_bytes)

    def list_processes(self) -> list[tuple[int, str, float, int]]:
        """List the processes: pid, state, seconds since last use, resident bytes."""
        now = time.monotonic()
        processes = [*self._spares, *self._live]
        return [(one.process.pid, one.state, now - one.last_used, one.process.memory_bytes()) for one in processes]

    def end_sessions(self, session_ids: Iterable[str]) -> None:
        """End the conversations of deleted sessions, the busy ones after their answer."""
        deleted = set(session_ids)
        for conversation in tuple(self._live):
            if conversation.session_id in deleted and conversation.mark_stale():
                self._retire(conversation)

    def set_limits(self, limits: PoolLimits) -> None:
        """Change the bounds. Surplus conversations end once they are free."""
        self.limits = limits
        self._end_surplus_spares()
        self._refill_spares()
        self.handle_change()

    def drop_spares(self) -> None:
        """Replace the spares, because the CLI or its login has changed. Live conversations become no spares either."""
        self._epoch += 1
        self._starter.forget_orphans()
        self._spare_failures = 0
        # Also those that have a process but are not ready: the epoch marks only starts without a process yet.
        for spare in self._starter.list_alive() - set(self._live):
            spare.mark_stale()
        for conversation in self._live:
            conversation.mark_outdated()
        for spare in tuple(self._spares):
            self._retire(spare)
        self._refill_spares()

    def renew_processes(self) -> None:
        """Replace spares and end idle conversations, to keep only new processes.

        Busy conversations finish their answer; those that hold tool calls get one more turn for the results.
        """
        for conversation in tuple(self._live):
            if conversation.mark_stale() and conversation.state == "idle":
                self._retire(conversation)
        self.drop_spares()
        self.handle_change()

    async def close(self) -> None:
        """Fail waiting requests, end every process and wait for their end."""
        self._stopping = True
        if self._reaper is not None:
            self._reaper.cancel()
        self._queue.fail_all(stopping_error())
        await self._starter.stop_all()
        self.handle_change()

    async def _start_in_epoch(self) -> Conversation:
        """Start a process; it is stale if `drop_spares` was called during the start."""
        epoch = self._epoch
        conversation = await self._start()
        if epoch != self._epoch:
            conversation.mark_stale()
        return conversation

    async def _wait_for_recovery(self, key: ConversationKey) -> None:
        """Wait for a process that an older request is about to leave, if no other is as good."""
        if (key.is_one_off and self._spares) or any(one.continues(key) for one in self._live):
            return
        recoveries = [task for one in self._live if (task := one.recovery_for(key)) is not None]
        if recoveries:
            await asyncio.wait(recoveries, timeout=RECOVERY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        # `close` may have run during the wait.
        if self._stopping:
            raise stopping_error()

    def _try_grant(self, waiter: Waiter) -> bool:
        """Grant a waiter the conversation that it continues, or a slot, if possible."""
        # Claimed here and not when the waiter wakes: until then another request could be granted the same one.
        if not waiter.fresh and self._claim_live(waiter):
            return True
        if len(self._live) + self._reserved_slots >= self.limits.max_conversations:
            if not waiter.fresh and self._restart_one(waiter):
                return True
            if not self._evict_one():
                return False
        self._reserved_slots += 1
        waiter.granted.set_result(None)
        return True

    def _claim_live(self, waiter: Waiter) -> bool:
        """Claim the conversation that the waiter continues, or else the one that knows most of its history."""
        for conversation in self._live:
            if conversation.continues(waiter.key):
                return self._grant(waiter, conversation, None)
        plans = [(plan, one) for one in self._live if (plan := one.plan(waiter.key, waiter.request)) is not None]
        if not plans:
            return False
        plan, conversation = max(plans, key=lambda pair: pair[0].turns)
        return self._grant(waiter, conversation, plan)

    def _restart_one(self, waiter: Waiter) -> bool:
        """Claim the conversation that would be evicted, if its process can begin the waiter's."""
        victim = self._find_victim()
        plan = victim.plan_restart(waiter.key) if victim is not None else None
        return victim is not None and plan is not None and self._grant(waiter, victim, plan)

    def _grant(self, waiter: Waiter, conversation: Conversation, plan: Plan | None) -> bool:
        conversation.claim(waiter.request, plan)
        waiter.granted.set_result(conversation)
        self._on_change()
        return True

    async def _wait_for_grant(self, waiter: Waiter) -> Grant:
        self._queue.add(waiter)
        self._on_change()
        try:
            async with asyncio.timeout(self.limits.queue_seconds):
                return await waiter.granted
        except BaseException as error:
            # A grant and a timeout or cancellation may come in the same iteration of the loop; then the grant is lost.
            self._queue.remove(waiter)
            self._revoke_grant(waiter)
            if isinstance(error, TimeoutError):
                raise self._queue_full_error() from None
            raise

    def _revoke_grant(self, waiter: Waiter) -> None:
        """Return a granted conversation or slot whose waiter gave up at the same moment."""
        granted = waiter.granted
        if not granted.done() or granted.cancelled() or granted.exception() is not None:
            return
        if (conversation := granted.result()) is not None:
            conversation.kill()
        else:
            self._reserved_slots -= 1
        self.handle_change()

    def _queue_full_error(self) -> QueueFull:
        return QueueFull(
            f"All {self.limits.max_conversations} processes were busy for {self.limits.queue_seconds:.0f} seconds.",
            retry_after=max(1.0, self.limits.queue_seconds / 2),
            hint="Try again shortly, or raise max_conversations.",
        )

    async def _fill_slot(self, waiter: Waiter) -> Conversation:
        """Fill a granted slot with a process without a transcript."""
        try:
            conversation = await self._take_spare_or_start(waiter)
            conversation.claim(waiter.request, BEGIN)
            self._live.append(conversation)
        finally:
            # After the conversation is in `_live`: a slot must not look free in between.
            self._reserved_slots -= 1
            asyncio.get_running_loop().call_later(REFILL_SECONDS, self._refill_spares)
            self.handle_change()
        return conversation

    async def _take_spare_or_start(self, waiter: Waiter) -> Conversation:
        # One may have died while it was parked.
        spares = [one for one in self._spares if one.state == "parked" and (one.is_new or not waiter.fresh)]
        fitting = [spare for spare in spares if spare.can_begin(waiter.key)]
        if fitting:
            spare = max(fitting, key=lambda one: one.is_prepared_for(waiter.request))
            self._spares.remove(spare)
            return spare
        if spares:
            # One that the present conversations cannot use would keep a useful one from being parked.
            self._retire(spares[0])
        elif not waiter.fresh:
            self._misses.append(time.monotonic())
        conversation = await self._starter.start_process()
        # `close` ran during the start; the starter ends the process.
        if self._stopping:
            raise stopping_error()
        self._spare_failures = 0
        return conversation

    def _find_victim(self) -> Conversation | None:
        """A vacant process, else the free conversation unused longest; those with held calls go last."""
        free = [conversation for conversation in self._live if conversation.is_free]
        order = ((one.state == "holding", not one.is_vacant, one.last_used) for one in free)
        return min(zip(order, free, strict=True), key=lambda pair: pair[0])[1] if free else None

    def _evict_one(self) -> bool:
        """End a free conversation, if there is one."""
        victim = self._find_victim()
        if victim is not None:
            self._retire(victim)
        return victim is not None

    def _retire(self, conversation: Conversation) -> None:
        """Remove a conversation from the pool at once and end it in the background."""
        if conversation in self._live:
            self._live.remove(conversation)
        if conversation in self._spares:
            self._spares.remove(conversation)
        spawn(conversation.stop(), name=f"stop claude {conversation.process.pid}")

    def _refill_spares(self) -> None:
        if self._reserved_slots:
            return  # Requests go first: `_fill_slot` schedules the refill once their processes are up.
        if self._stopping or self._spare_failures >= SPARE_FAILURES:
            return
        while len(self._spares) + self._spares_starting < self._wanted_spares():
            self._spares_starting += 1
            spawn(self._start_spare(), name="start a spare")

    def _wanted_spares(self) -> int:
        """Number of spares that the use of the last time calls for: the setting, more in a fan-out, none after it."""
        now, wanted = time.monotonic(), self.limits.spares
        if not wanted or now - self._last_request > UNUSED_SECONDS:
            return 0
        room = (self.limits.max_memory_mb * MEGABYTE - self._memory_bytes) // SPARE_BYTES + len(self._spares)
        missed = sum(1 for at in self._misses if now - at < FAN_OUT_SECONDS)
        return max(wanted, min(wanted + missed, MAX_SPARES, room))

    def _end_surplus_spares(self) -> None:
        while len(self._spares) > self._wanted_spares():
            self._retire(self._spares[-1])

    async def _start_spare(self) -> None:
        try:
            spare = await self._starter.start_process()
            # Not part of the start: a request whose own process starts would wait for it.
            await self._warm_up(spare)
        except DragomanError as error:
            self._spare_failures += 1
            if not self._stopping:
                log.warning("a spare process did not start: %s", error)
            return
        finally:
            self._spares_starting -= 1
        self._spare_failures = 0
        self._park_spare(spare)

    async def _warm_up(self, spare: Conversation) -> None:
        try:
            await spare.warm_up()
        except BaseException:
            spare.kill()
            raise

    def _park_spare(self, spare: Conversation) -> None:
        # Any of these may have changed during the start: closed, replaced, or bounds lowered.
        if self._stopping or spare.stale or len(self._spares) >= self._wanted_spares():
            self._retire(spare)
            self._refill_spares()
        else:
            self._spares.append(spare)
        self.handle_change()

    async def _reap_forever(self) -> None:
        while True:
            await asyncio.sleep(REAP_SECONDS)
            try:
                self._reap_idle()
            except Exception:
                log.exception("reaping idle processes failed")

    def _reap_idle(self) -> None:
        now = time.monotonic()
        for conversation in tuple(self._live):
            allowed = self.limits.hold_seconds if conversation.state == "holding" else self.limits.idle_seconds
            if conversation.is_free and now - conversation.last_used > allowed:
                self._retire(conversation)
        self._end_surplus_spares()
        self._refill_spares()
        self._memory_bytes = sum(one.process.memory_bytes() for one in [*self._spares, *self._live])
        if self._memory_bytes > self.limits.max_memory_mb * MEGABYTE:
            self._evict_one()
        self.handle_change()
