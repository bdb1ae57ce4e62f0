"""The store as the server and the tray use it: everything asynchronous, all SQL on a thread of its own.

Sessions are on the disk when their method returns. Request records are written within 100 ms, and before any
reading of them (`request_log`). A request or session that a cancelled task asked to be written is written all the
same.
"""

import asyncio
import functools
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from server import __version__
from server.core.errors import DatabaseUnusable, InvalidRequest
from server.core.events import EventBus, Notice, SessionChanged, SessionsDeleted
from server.core.messages import Message, Usage
from server.core.records import Page, RequestFilter, RequestRecord, Session, SessionSummary, StatisticsBucket
from server.store import expiry, requests, saving, sessions
from server.store.damage import SIDE_FILES, file_size, side_path
from server.store.expiry import Expiry
from server.store.held_saves import HeldSaves, Save
from server.store.paging import Where
from server.store.request_log import RequestLog
from server.store.worker import DatabaseThread, Job
from server.store.write_health import WriteHealth

log = logging.getLogger(__name__)
T = TypeVar("T")

DAMAGE_TOPIC = "damaged database"
DAY = 86400.0
ALL_REQUESTS = RequestFilter()


class Store:
    """The open store; made by `Store.open`, belongs to the event loop that it was opened on.

    Every method raises DatabaseUnusable when the database cannot be read or written.
    """

    def __init__(
        self, thread: DatabaseThread, bus: EventBus, clock: Callable[[], float], ttl_seconds: float | None
    ) -> None:
        self._thread = thread
        self._bus = bus
        self._clock = clock
        self._ttl = _checked_ttl(ttl_seconds)
        self._held = HeldSaves()
        self._log = RequestLog(thread, self._held, WriteHealth(bus))

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        bus: EventBus,
        clock: Callable[[], float] = time.time,
        ttl_seconds: float | None = DAY,
        busy_timeout: float = 5.0,
    ) -> "Store":
        """Open the database at `path`, and end the requests that a crash left running.

        `ttl_seconds` is how long sessions and requests are kept, None for ever; `busy_timeout` how many seconds to
        wait for another program's lock. Raises DatabaseTooNew and DatabaseUnusable. A damaged database is
        replaced, and a Notice of it published.
        """
        thread = DatabaseThread(path)
        store = cls(thread, bus, clock, ttl_seconds)
        notice = await thread.open(busy_timeout)
        try:
            await thread.submit_job(_prepare_tables)
        except BaseException:
            await thread.close()
            raise
        if notice:
            bus.publish(Notice("warning", notice, topic=DAMAGE_TOPIC, folder=thread.path.parent))
        return store

    async def close(self) -> None:
        """Write what waits and close the database; a second call does nothing."""
        if not self._thread.closed:
            self._log.submit_waiting()
            await self._thread.close()
            self._log.warn_of_losses()

    @property
    def path(self) -> Path:
        """The database file."""
        return self._thread.path

    @property
    def ttl_seconds(self) -> float | None:
        """How long sessions and requests are kept; None: for ever."""
        return self._ttl

    def set_ttl(self, ttl_seconds: float | None) -> None:
        """Change how long sessions and requests are kept, those that are there already included."""
        self._ttl = _checked_ttl(ttl_seconds)

    # Sessions

    async def save_session(
        self,
        session_id: str,
        *,
        system: Sequence[str],
        messages: Sequence[Message],
        client: str,
        model: str,
        usage: Usage,
        explicit: bool = True,
        prefix: int = 0,
    ) -> None:
        """Store a whole conversation after a finished exchange, which `session_id` stands for from then on.

        `explicit`: the client named the session or a checkpoint by this id. Otherwise the id is new, a checkpoint of
        the session that ended with the first `prefix` messages, or of a new one. `usage` is this exchange's, and is
        added up. Raises InvalidRequest for a bad id. What cannot be written now, because the disk is full, is tried
        again until it can (DatabaseUnusable is raised all the same). See `saving.save`.
        """
        exchange = saving.Exchange(system, messages, client, model, usage)
        job = functools.partial(
            saving.save_exchange,
            expiry=self._current_expiry(),
            exchange=exchange,
            session_id=session_id,
            explicit=explicit,
            prefix=prefix,
        )
        save = Save(job, self._publish_change, asyncio.get_running_loop())
        await self._run_job(functools.partial(self._held.run_save, save), then=save.saved, failed=self._save_failed)

    async def find_session(self, session_id: str) -> Session | None:
        """The session with all its messages; None if there is none, or it has expired.

        The id of a checkpoint finds the messages up to there.
        """
        moment = self._current_expiry()
        return await self._run_job(lambda connection: sessions.load_session(connection, moment, session_id))

    async def find_summary(self, session_id: str) -> SessionSummary | None:
        """The session as `list_sessions` has it, by its id or that of a checkpoint; None if there is none."""
        moment = self._current_expiry()
        return await self._run_job(lambda connection: sessions.load_summary(connection, moment, session_id))

    async def list_sessions(
        self, *, search: str | None = None, cursor: str | None = None, limit: int = 50
    ) -> Page[SessionSummary]:
        """A page of the sessions, last used first; every word of `search` occurs in the title or a message.

        Raises InvalidRequest for a bad `cursor`, or a `limit` outside of 1 to 200.
        """
        moment = self._current_expiry()
        return await self._run_job(
            lambda connection: sessions.list_summaries(connection, moment, search=search, cursor=cursor, limit=limit)
        )

    async def rename_session(self, session_id: str, title: str) -> SessionSummary:
        """Give the session a title that stays. Raises NotFound, and InvalidRequest for an empty title."""
        moment = self._current_expiry()
        return await self._run_job(
            lambda connection: sessions.set_title(connection, moment, session_id, title), then=self._changed
        )

    async def pin_session(self, session_id: str, pinned: bool) -> SessionSummary:
        """Keep the session for good, or let it expire again. Raises NotFound."""
        moment = self._current_expiry()
        return await self._run_job(
            lambda connection: sessions.set_pinned(connection, moment, session_id, pinned), then=self._changed
        )

    async def delete_session(self, session_id: str) -> bool:
        """Delete the session, its messages and the bodies and headers of its requests; False if there was none.

        See `delete_sessions` for the id of a checkpoint.
        """
        return bool(await self.delete_sessions([session_id]))

    async def delete_sessions(
        self, ids: Sequence[str] | None = None, *, search: str | None = None, everything: bool = False
    ) -> tuple[str, ...]:
        """Delete the sessions with these ids, or those that a search finds, or all; returns their ids.

        A checkpoint at the end of a session stands for all of it. An earlier one is deleted alone: its messages stay
        with the session, which is another conversation by now. A search without a word in it finds none. Raises
        InvalidRequest unless exactly one of the three is given.
        """
        if (ids is not None) + (search is not None) + everything != 1:
            raise InvalidRequest("Say which sessions to delete: by their ids, by a search, or all of them.")
        where = Where()
        if ids is not None:
            where = sessions.where_named(ids)
        elif search is not None:
            where = (
                sessions.where_search(self._current_expiry().live_sessions(), search)
                if search.strip()
                else _match_nothing()
            )
        deleted = await self._delete_matching(where, checkpoint_ids=ids or ())
        if everything:
            await self.remove_copies()
        return deleted.ids

    async def hide_sessions(self, ids: Sequence[str]) -> None:
        """Delete sessions as a person does who may still undo it: nothing finds them any more, whatever happens.

        `restore_sessions` takes it back, and `remove_hidden_sessions` deletes them for good; so does `purge` after
        `expiry.UNDO_SECONDS`.
        """
        moment = self._current_expiry()
        await self._run_job(lambda connection: sessions.hide_rows(connection, moment, ids))

    async def restore_sessions(self, ids: Sequence[str]) -> None:
        """Take back `hide_sessions`. What has been removed meanwhile stays so."""
        await self._run_job(lambda connection: sessions.restore_rows(connection, ids))

    async def remove_hidden_sessions(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Delete for good what `hide_sessions` hid; returns the ids of those that there were."""
        return (await self._delete_matching(sessions.where_hidden(ids))).ids

    # Requests

    async def record_request(self, record: RequestRecord) -> None:
        """Have the record written within 100 ms, in the place of an earlier one with its id. Never waits."""
        self._log.add_record(record)

    async def list_requests(
        self, filter: RequestFilter = ALL_REQUESTS, *, cursor: str | None = None, limit: int = 50
    ) -> Page[RequestRecord]:
        """A page of the requests, latest first, without their bodies and headers (`get_request` has them).

        Raises InvalidRequest for a bad `cursor`, or a `limit` outside of 1 to 200.
        """
        self._log.submit_waiting()

        def read(connection: sqlite3.Connection) -> Page[RequestRecord]:
            page = requests.list_records(connection, filter, cursor=cursor, limit=limit)
            return self._with_unwritten(page, filter)

        return await self._run_job(read)

    async def get_request(self, request_id: str) -> RequestRecord | None:
        """The request with its headers, and its bodies if they were logged; None if there is none."""
        self._log.submit_waiting()

        def read(connection: sqlite3.Connection) -> RequestRecord | None:
            return self._log.find_unwritten(request_id) or requests.find_record(connection, request_id)

        return await self._run_job(read)

    async def delete_requests(self, filter: RequestFilter = ALL_REQUESTS) -> int:
        """Delete the requests that match; returns their number. One that still runs comes back when it ends."""
        where = requests.where_filter(filter)
        if filter.search is not None and not filter.search.strip():
            where = _match_nothing()
        self._log.submit_waiting()
        return await self._run_job(lambda connection: requests.delete_records(connection, where))

    async def statistics(
        self, *, since: float, bucket_seconds: float, until: float | None = None
    ) -> list[StatisticsBucket]:
        """Requests, tokens and cost from `since` to `until` (now), oldest first, without empty buckets.

        Raises InvalidRequest unless `bucket_seconds` is more than 0.
        """
        end = self._clock() if until is None else until
        self._log.submit_waiting()
        return await self._run_job(
            lambda connection: requests.sum_by_bucket(connection, since=since, until=end, bucket_seconds=bucket_seconds)
        )

    # Upkeep

    async def purge_expired(self) -> tuple[str, ...]:
        """Delete expired sessions, requests and copies of the database, and hidden sessions whose time to be restored
        is over; returns the ids of the sessions."""
        moment = self._current_expiry()
        self._log.submit_waiting()
        purged = await self._run_job(
            lambda connection: expiry.purge_expired(connection, moment, self.path),
            then=lambda done: self._publish_deletion(done.session_ids, done.checkpoint_ids),
        )
        return purged.session_ids

    async def run_purge(self, interval: float = 300.0) -> None:
        """Purge now and every `interval` seconds until cancelled or closed; a failure is logged and tried again."""
        while not self._thread.closed:
            try:
                await self.purge_expired()
            except Exception:
                log.exception("the purge failed, and is tried again in %s s", interval)
            await asyncio.sleep(interval)

    async def remove_copies(self) -> None:
        """Delete all copies of the database that were made before migrations."""
        await self._run_job(lambda _: expiry.remove_backups(self.path, float("inf")))

    async def size_bytes(self) -> int:
        """The size of the database on the disk, its side files included."""
        files = [self.path, *(side_path(self.path, suffix) for suffix in SIDE_FILES)]
        return await self._run_job(lambda _: sum(map(file_size, files)))

    async def _delete_matching(self, where: Where, checkpoint_ids: Sequence[str] = ()) -> expiry.Removed:
        self._log.submit_waiting()
        return await self._run_job(
            lambda connection: sessions.delete_rows(connection, where, checkpoint_ids),
            then=lambda done: self._publish_deletion(done.ids, done.checkpoint_ids),
        )

    def _current_expiry(self) -> Expiry:
        return Expiry(self._clock(), self._ttl)

    async def _run_job(
        self,
        job: Job[T],
        then: Callable[[T], None] | None = None,
        failed: Callable[[BaseException], None] | None = None,
    ) -> T:
        def ended(done: "asyncio.Future[T]") -> None:
            error = None if done.cancelled() else done.exception()
            if error is not None and failed is not None:
                failed(error)
            elif error is None and not done.cancelled() and then is not None:
                then(done.result())

        future = self._thread.submit_job(job)
        future.add_done_callback(ended)
        # What was asked for is done even if nobody waits any more, as after a client's disconnect.
        return await asyncio.shield(future)

    def _changed(self, summary: SessionSummary) -> None:
        self._bus.publish(SessionChanged(summary.id))

    def _publish_deletion(self, ids: tuple[str, ...], checkpoint_ids: tuple[str, ...]) -> None:
        if ids:
            self._bus.publish(SessionsDeleted((*ids, *checkpoint_ids)))

    def _publish_change(self, session_id: str) -> None:
        self._bus.publish(SessionChanged(session_id))

    def _save_failed(self, error: BaseException) -> None:
        # Anything else, such as damage or a bad id, would fail again.
        if isinstance(error, DatabaseUnusable) and isinstance(error.__cause__, sqlite3.OperationalError):
            self._log.schedule_retry(error)

    def _with_unwritten(self, page: Page[RequestRecord], wanted: RequestFilter) -> Page[RequestRecord]:
        """The page as it is by now: what ended on a full disk must not be shown as running."""
        present = [self._log.find_unwritten(record.id) or record for record in page.items]
        items = [
            requests.without_details(record)
            for record in present
            if wanted.status is None or record.status == wanted.status
        ]
        return replace(page, items=items, total=page.total - (len(present) - len(items)))


def _prepare_tables(connection: sqlite3.Connection) -> None:
    requests.mark_interrupted(connection)
    connection.execute(
        "INSERT INTO meta (key, value) VALUES ('written_by', ?)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE value != excluded.value",
        [__version__],
    )


def _match_nothing() -> Where:
    return Where(["FALSE"])


def _checked_ttl(ttl_seconds: float | None) -> float | None:
    if ttl_seconds is not None and not ttl_seconds > 0:
        raise ValueError(f"ttl_seconds is {ttl_seconds}, but must be more than 0, or None.")
    return ttl_seconds
