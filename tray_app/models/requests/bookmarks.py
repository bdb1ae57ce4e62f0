"""Page boundaries between the loaded rows and the newest request.

The store pages from a position towards older requests only. Scrolling forward again, page by page, needs the end
position of each page: the bookmarks.
"""

from collections import deque

from server.store.paging import Position

MAX_BOOKMARKS = 1024


class Bookmarks:
    """Positions after the loaded rows, oldest first; each is the newest request of a page.

    Beyond `MAX_BOOKMARKS` every second one is dropped, which doubles the length of the pages.
    """

    def __init__(self, page: int) -> None:
        self._page_size = page
        self._positions: deque[Position] = deque()
        # Arrivals since the last bookmark. An unfinished page has none: it reaches the end of the log.
        self._since_last = 0

    def __len__(self) -> int:
        return len(self._positions)

    @property
    def next_page_end(self) -> Position | None:
        """The end of the page after the loaded rows; None if that page ends the log."""
        return self._positions[0] if self._positions else None

    def add_dropped_page(self, position: Position) -> None:
        """Record that the page ending at `position` was dropped from the end of the loaded rows."""
        self._positions.appendleft(position)
        self._thin_out()

    def remove_first(self) -> None:
        """Record that the page up to `next_page_end` is loaded again."""
        if self._positions:
            self._positions.popleft()

    def record_arrival(self, position: Position) -> None:
        """Count a new request at the end of the log that is not loaded; mark the end of each full page."""
        self._since_last += 1
        if self._since_last >= self._page_size:
            self._since_last = 0
            self._positions.append(position)
            self._thin_out()

    def clear_bookmarks(self) -> None:
        """Forget all positions: the loaded rows reach the end of the log."""
        self._positions.clear()
        self._since_last = 0

    def _thin_out(self) -> None:
        if len(self._positions) > MAX_BOOKMARKS:
            self._positions = deque(list(self._positions)[1::2])


def cursor_including(position: Position) -> Position:
    """The position for a cursor that lists `position` first: a cursor excludes its own position."""
    time, id = position
    return time, id + " "
