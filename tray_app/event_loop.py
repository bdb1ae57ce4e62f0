"""Qt's event loop as asyncio's, so that the server and the window run in one thread."""

import sys

# Before qasync, which takes the first Qt binding that it finds.
import PySide6.QtCore  # noqa: F401
import qasync


class EventLoop(qasync.QEventLoop):  # type: ignore[misc]  # qasync has no type hints
    """qasync's loop, with what it leaves out.

    asyncio's loops install hooks that close abandoned async generators; without them, a stream whose reader has
    gone would stay open. See `asyncio.BaseEventLoop._run_forever_setup`.
    """

    def run_forever(self) -> None:
        """Run until `stop`."""
        before = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(firstiter=self._asyncgen_firstiter_hook, finalizer=self._asyncgen_finalizer_hook)
        try:
            super().run_forever()
        finally:
            sys.set_asyncgen_hooks(*before)
