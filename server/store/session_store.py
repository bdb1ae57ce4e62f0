"""The store's methods for sessions. A method returns when its change is committed."""

import asyncio
import functools
import sqlite3
from collections.abc import Sequence

from server.core.errors import InvalidRequest
from server.core.messages import Message, Usage
from server.core.records import Page, Session, SessionSummary
from server.core.stored_responses import FinishedResponse
from server.store import saving, sessions
from server.store.expiry import remove_all_unowned, remove_backups
from server.store.held_saves import Save
from server.store.paging import Where
from server.store.removal import Removed, find_remains
from server.store.store_base import StoreBase, match_nothing


class SessionStore(StoreBase):
    """Save, find, change and delete sessions."""

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
        response: FinishedResponse | None = None,
    ) -> None:
        """Store a whole conversation under `session_id` after an exchange, with its answer as a stored response.

        `explicit` and `prefix` are as in `saving.save_exchange`. `usage` is this exchange's and is added to the
        session's. Raises InvalidRequest for a bad id. A save that fails on a full disk or a lock raises
        DatabaseUnusable and is retried until it succeeds.
        """
        exchange = saving.FinishedExchange(system, messages, client, model, usage, response)
        job = functools.partial(
            saving.save_exchange,
            expiry=self._current_expiry(),
            exchange=exchange,
            session_id=session_id,
            explicit=explicit,
            prefix=prefix,
        )
        save = Save(job, self._publish_change, asyncio.get_running_loop())

        def run_save(connection: sqlite3.Connection) -> tuple[str, bool]:
            before = find_remains(connection)
            id = self._held_saves.run_save(save, connection)
            return id, find_remains(connection) != before

        def finish_save(saved: tuple[str, bool]) -> None:
            id, has_replaced = saved
            save.saved(id)
            # A session that was deleted or had expired. The next turn does not wait for the removal of its remains.
            if has_replaced:
                self._start_removal()

        await self._run_job(run_save, then=finish_save, failed=self._on_save_failed)

    async def find_session(self, session_id: str) -> Session | None:
        """Return the session with its messages; None if it does not exist or has expired.

        The id of a checkpoint returns the messages up to there.
        """
        expiry = self._current_expiry()
        return await self._threads.look_up(lambda connection: sessions.load_session(connection, expiry, session_id))

    async def find_summary(self, session_id: str) -> SessionSummary | None:
        """Return the summary for the id of a session or checkpoint; None if missing."""
        expiry = self._current_expiry()
        return await self._threads.look_up(lambda connection: sessions.load_summary(connection, expiry, session_id))

    async def list_sessions(
        self, *, search: str | None = None, cursor: str | None = None, limit: int = 50
    ) -> Page[SessionSummary]:
        """Return a page of sessions that match `search`, last used first.

        Raises InvalidRequest for an invalid `cursor`, or a `limit` outside 1 to 200.
        """
        expiry = self._current_expiry()
        return await self._threads.browse(
            lambda connection: sessions.list_summaries(connection, expiry, search=search, cursor=cursor, limit=limit)
        )

    async def rename_session(self, session_id: str, title: str) -> SessionSummary:
        """Set a lasting title. Raises NotFound, and InvalidRequest for an empty one."""
        expiry = self._current_expiry()
        return await self._run_job(
            lambda connection: sessions.set_title(connection, expiry, session_id, title), then=self._publish_summary
        )

    async def pin_session(self, session_id: str, pinned: bool) -> SessionSummary:
        """Exempt the session from expiry, or let it expire again. Raises NotFound."""
        expiry = self._current_expiry()
        return await self._run_job(
            lambda connection: sessions.set_pinned(connection, expiry, session_id, pinned), then=self._publish_summary
        )

    async def delete_session(self, session_id: str) -> bool:
        """Delete one session as `delete_sessions` does; False if there was none."""
        return bool(await self.delete_sessions([session_id]))

    async def delete_sessions(
        self, ids: Sequence[str] | None = None, *, search: str | None = None, everything: bool = False
    ) -> tuple[str, ...]:
        """Delete sessions, messages and request details; returns the deleted ids.

        Selects by ids, by a search, or all. A checkpoint at the end of a session selects the session. An earlier one
        is deleted alone: its messages stay with the session, which has become another conversation. A blank search
        selects nothing. Raises InvalidRequest unless exactly one of the three is given.
        """
        if (ids is not None) + (search is not None) + everything != 1:
            raise InvalidRequest("Say which sessions to delete: by their ids, by a search, or all of them.")
        where = Where()
        if ids is not None:
            where = sessions.where_named(ids)
        elif search is not None:
            live = self._current_expiry().live_sessions()
            where = sessions.where_search(live, search) if search.strip() else match_nothing()
        deleted = await self._delete_matching(where, checkpoint_ids=ids or ())
        if everything:
            await self._run_job(remove_all_unowned)
            await self.remove_copies()
        await self._finish_removal()
        return deleted.ids

    async def hide_sessions(self, ids: Sequence[str]) -> None:
        """Delete sessions with an undo: nothing finds them from now on.

        `restore_sessions` undoes it, `remove_hidden_sessions` completes it. The mark is committed at once, so that a
        killed process does not bring the sessions back; a purge then completes the deletion after
        `expiry.UNDO_SECONDS`.
        """
        expiry = self._current_expiry()
        await self._run_job(lambda connection: sessions.hide_rows(connection, expiry, ids))

    async def restore_sessions(self, ids: Sequence[str]) -> None:
        """Undo `hide_sessions`, except for sessions that have been removed since."""
        await self._run_job(lambda connection: sessions.restore_rows(connection, ids))

    async def remove_hidden_sessions(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Delete hidden sessions for good; returns the ids of those that existed."""
        removed = await self._delete_matching(sessions.where_hidden(ids))
        await self._finish_removal()
        return removed.ids

    async def remove_copies(self) -> None:
        """Delete all copies of the database that were made before migrations."""
        await self._run_job(lambda _: remove_backups(self._threads.path, float("inf")))

    async def _delete_matching(self, where: Where, checkpoint_ids: Sequence[str] = ()) -> Removed:
        # First the records that wait: one of these sessions' would otherwise be written after the deletion, with
        # the bodies that are to be deleted.
        self._writer.submit_waiting()
        return await self._run_job(
            lambda connection: sessions.delete_rows(connection, where, checkpoint_ids), then=self._publish_deletion
        )

    def _publish_summary(self, summary: SessionSummary) -> None:
        self._publish_change(summary.id)
