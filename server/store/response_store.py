"""The store's methods for responses and conversations of the Responses API.

A finished response is saved with its session, by `SessionStore.save_session`.
"""

import sqlite3
from collections.abc import Mapping, Sequence

from server.core.stored_responses import FinishedResponse, Item, ResponseChain, StoredConversation, StoredResponse
from server.store import conversations, responses
from server.store.expiry import Expiry
from server.store.migrate import transaction
from server.store.removal import Removed, note_remains
from server.store.response_items import find_items
from server.store.store_base import StoreBase


class ResponseStore(StoreBase):
    """Find, change and delete responses and conversations."""

    async def save_unfinished_response(self, response: FinishedResponse) -> None:
        """Store a response that has no session: one that is still generated, or has failed."""
        expiry = self._current_expiry()

        def save(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                responses.put_response(connection, expiry, response, None)

        await self._run_job(save)

    async def find_response(self, response_id: str) -> StoredResponse | None:
        """The response; None if it does not exist, has expired or was deleted."""
        expiry = self._current_expiry()
        return await self._threads.look_up(lambda connection: responses.load_response(connection, expiry, response_id))

    async def find_chain(self, response_id: str) -> ResponseChain | None:
        """The response and all before it; None if one of them is missing or unfinished."""
        expiry = self._current_expiry()
        return await self._threads.look_up(lambda connection: responses.load_chain(connection, expiry, response_id))

    async def find_items(self, ids: Sequence[str]) -> dict[str, Item]:
        """The stored items with these ids."""
        expiry = self._current_expiry()
        return await self._threads.look_up(lambda connection: find_items(connection, expiry, ids))

    async def delete_response(self, response_id: str) -> bool:
        """Delete a response, and its session if nothing else names that; False if there is none."""
        # First the records that wait, as in `delete_sessions`.
        self._writer.submit_waiting()
        expiry = self._current_expiry()

        def publish(removed: Removed | None) -> None:
            if removed is not None:
                self._publish_deletion(removed)

        removed = await self._run_job(
            lambda connection: responses.delete_response(connection, expiry, response_id), then=publish
        )
        await self._finish_removal()
        return removed is not None

    async def create_conversation(
        self, conversation_id: str, metadata: Mapping[str, str], items: Sequence[Item]
    ) -> StoredConversation:
        """Create a conversation with its first items."""
        expiry = self._current_expiry()

        def create(connection: sqlite3.Connection) -> StoredConversation:
            with transaction(connection):
                return conversations.create_conversation(connection, expiry, conversation_id, metadata, items)

        return await self._run_job(create)

    async def find_conversation(self, conversation_id: str) -> StoredConversation | None:
        """The conversation with its items; None if it does not exist, has expired or was deleted."""
        expiry = self._current_expiry()
        return await self._threads.look_up(
            lambda connection: conversations.load_conversation(connection, expiry, conversation_id)
        )

    async def set_conversation_metadata(self, conversation_id: str, metadata: Mapping[str, str]) -> bool:
        """Replace the metadata; False if there is no such conversation."""
        expiry = self._current_expiry()
        return await self._run_job(
            lambda connection: conversations.set_metadata(connection, expiry, conversation_id, metadata)
        )

    async def append_conversation_items(self, conversation_id: str, items: Sequence[Item]) -> bool:
        """Append items; False if there is no such conversation."""
        expiry = self._current_expiry()

        def append(connection: sqlite3.Connection) -> bool:
            with transaction(connection):
                return conversations.append_items(connection, expiry, conversation_id, items)

        return await self._run_job(append)

    async def delete_conversation_item(self, conversation_id: str, item_id: str) -> bool:
        """Delete an item of a conversation; False if there is none."""
        expiry = self._current_expiry()

        def delete(connection: sqlite3.Connection) -> bool:
            with transaction(connection):
                deleted = conversations.delete_item(connection, expiry, conversation_id, item_id)
                if deleted:
                    note_remains(connection)
                return deleted

        deleted = await self._run_job(delete, then=lambda _: self._start_removal())
        await self._finish_removal()
        return deleted

    async def delete_conversation(self, conversation_id: str) -> bool:
        """Delete a conversation with its items, but not its responses; False if there is none.

        Its session follows if nothing else names that.
        """
        self._writer.submit_waiting()
        expiry = self._current_expiry()

        def delete(connection: sqlite3.Connection) -> Removed | None:
            return _delete_conversation(connection, expiry, conversation_id)

        def publish(removed: Removed | None) -> None:
            if removed is not None:
                self._publish_deletion(removed)

        removed = await self._run_job(delete, then=publish)
        await self._finish_removal()
        return removed is not None


def _delete_conversation(connection: sqlite3.Connection, expiry: Expiry, conversation_id: str) -> Removed | None:
    with transaction(connection):
        row = conversations.find_conversation_row(connection, expiry, conversation_id)
        if row is None:
            return None
        connection.execute("DELETE FROM conversations WHERE number = ?", [row["number"]])
        note_remains(connection)
        return responses.remove_with_unnamed_session(connection, row["session"], [conversation_id])
