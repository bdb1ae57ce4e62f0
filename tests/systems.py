"""Marks of tests that need what Windows does not have, and which names those are."""

import sys

import pytest

POSIX_MODULES = frozenset({"curses", "fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"})
"""Modules of the standard library that Windows has not."""

POSIX_NAMES = frozenset(
    {
        *("signal.SIGALRM", "signal.SIGCHLD", "signal.SIGCONT", "signal.SIGHUP", "signal.SIGKILL", "signal.SIGPIPE"),
        *("signal.SIGQUIT", "signal.SIGSTOP", "signal.SIGTSTP", "signal.SIGUSR1", "signal.SIGUSR2", "signal.alarm"),
        *("os.chown", "os.fork", "os.getegid", "os.geteuid", "os.getgid", "os.getpgid", "os.getpgrp", "os.getuid"),
        *("os.killpg", "os.mkfifo", "os.openpty", "os.seteuid", "os.setgid", "os.setsid", "os.setuid", "os.statvfs"),
        *("os.sched_getaffinity", "os.umask", "os.uname"),
        *("socket.AF_UNIX", "asyncio.open_unix_connection", "asyncio.start_unix_server"),
        "stat.S_IMODE",  # on Windows a file's mode says nothing about its rights
    }
)
"""Names that Windows has not, or that mean nothing there."""

INERT = "#!/bin/sh\n"
"""Contents of a file that has to look like a program, and that no test starts."""


def posix_only(reason: str) -> pytest.MarkDecorator:
    """Mark a test, or by `pytestmark` a module, that Windows cannot run. `reason` says what it lacks."""
    return pytest.mark.skipif(sys.platform == "win32", reason=f"POSIX only: {reason}")
