"""Finding the session that an id refers to, which may be an id that it had before."""

from dataclasses import replace

from server.core.records import SessionSummary
from server.store.paging import encode_cursor
from server.store.store import Store

_LAST = "\U0010ffff"
"""No id is behind it."""


async def find_summary(store: Store, session_id: str) -> SessionSummary | None:
    """The session of that id as the list has it, also if it goes on under another id by now; None if it is gone.

    Raises DatabaseUnusable.
    """
    session = await store.find_session(session_id)
    if session is None:
        return None
    found = session.summary
    # A former id finds what was said until then, with the times of the session that goes on: that one is listed.
    page = await store.list_sessions(cursor=encode_cursor((found.last_used_at, _LAST)), limit=200)
    same_moment = [summary for summary in page.items if summary.last_used_at == found.last_used_at]
    itself = next((summary for summary in same_moment if summary.id == session_id), None)
    heirs = (summary for summary in same_moment if replace(summary, id=session_id, turns=found.turns) == found)
    return itself or next(heirs, found)
