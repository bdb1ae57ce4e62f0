"""The memory that a process adds to the others."""

import contextlib

import psutil


def added_memory(pid: int) -> int:
    """Bytes that a process adds to those already running; 0 after its end.

    All processes of the CLI share the pages of its program, 80 of 185 MB. On Linux each is charged its part of what it
    shares (PSS), elsewhere only what it has alone (USS), or its resident memory where the system does not say.
    """
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        try:
            full = process.memory_full_info()
        except psutil.AccessDenied:
            return int(process.memory_info().rss)
        return int(getattr(full, "pss", 0) or getattr(full, "uss", 0) or full.rss)
    return 0
