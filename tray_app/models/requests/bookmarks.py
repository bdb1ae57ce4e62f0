"""The way back to the newest requests.

The store lists requests from a place on towards older ones only. Whoever has scrolled back and wants to go forward
again page by page has to know where the pages begin: at the bookmarks.
"""

from collections import deque

from server.store.paging import Position

MAX_BOOKMARKS = 1024


class Bookmarks:
    """Places in the log after the rows that are held, oldest first: each the newest request of a page.

    There are never more than `MAX_BOOKMARKS`: beyond that every second one goes, and pages become longer.
    """

    def __init__(self, page: int) -> None:
        self._page = page
        self._places: deque[Position] = deque()
        self._since_last = 0

    def __len__(self) -> int:
        return len(self._places)

    @property
    def next(self) -> Position | None:
        """The end of the page that follows the held rows; None: it goes to the end of the log."""
        return self._places[0] if self._places else None

    def dropped(self, place: Position) -> None:
        """The rows up to `place`, the last ones that were held, are held no more."""
        self._places.appendleft(place)
        self._thin_out()

    def passed(self) -> None:
        """The page up to `next` is held again."""
        if self._places:
            self._places.popleft()

    def arrived(self, place: Position) -> None:
        """A new request came at the end of the log, and is not held."""
        self._since_last += 1
        if self._since_last >= self._page:
            self._since_last = 0
            self._places.append(place)
            self._thin_out()

    def clear(self) -> None:
        """The rows that are held go to the end of the log."""
        self._places.clear()
        self._since_last = 0

    def _thin_out(self) -> None:
        if len(self._places) > MAX_BOOKMARKS:
            self._places = deque(list(self._places)[1::2])


def cursor_position(place: Position) -> Position:
    """The position for a cursor from which `place` itself is the first one listed: cursors exclude their own."""
    time, id = place
    return time, id + " "
