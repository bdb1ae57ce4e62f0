"""Lets child processes die with this program, even if it is killed.

The CLI exits at the end of its input, but during a turn it notices that only when it writes next. A model may think
for minutes, at the user's cost. Linux signals the parent's death to the child (prctl(2), PR_SET_PDEATHSIG). Windows
ends all processes of a job when its last handle closes, as it does with a killed program. macOS has no such means:
there only the end of input remains.
"""

import ctypes
import sys
from collections.abc import Callable
from typing import Any

_PR_SET_PDEATHSIG = 1
_SIGKILL = 9


def start_options() -> dict[str, Any]:
    """Options of `asyncio.create_subprocess_exec`.

    The child gets its own process group, so that Ctrl-C in the terminal reaches only this program, which stops it.
    """
    if sys.platform == "win32":
        create_new_process_group, create_no_window = 0x00000200, 0x08000000
        return {"creationflags": create_new_process_group | create_no_window}
    options: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "linux" and _die_with_parent is not None:
        options["preexec_fn"] = _die_with_parent
    return options


def bind_to_parent(pid: int) -> None:
    """Bind a started process to this program's end; needed only on Windows."""
    if sys.platform == "win32":
        _assign_to_job(pid)


def _death_signal() -> Callable[[], None] | None:
    """The function to call between fork and exec, where a lookup is not safe."""
    try:
        prctl = ctypes.CDLL(None, use_errno=True).prctl
    except (OSError, AttributeError):
        return None
    arguments = (ctypes.c_int(_PR_SET_PDEATHSIG), ctypes.c_ulong(_SIGKILL))
    return lambda: prctl(*arguments)


_die_with_parent = _death_signal() if sys.platform == "linux" else None

if sys.platform == "win32":
    _JOB_OBJECT_EXTENDED_LIMIT_INFORMATION = 9
    _JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE = 0x2000
    _PROCESS_SET_QUOTA_AND_TERMINATE = 0x0101

    class _BasicLimits(ctypes.Structure):
        """JOBOBJECT_BASIC_LIMIT_INFORMATION."""

        _fields_ = (
            ("PerProcessUserTimeLimit", ctypes.c_int64),
            ("PerJobUserTimeLimit", ctypes.c_int64),
            ("LimitFlags", ctypes.c_uint32),
            ("MinimumWorkingSetSize", ctypes.c_size_t),
            ("MaximumWorkingSetSize", ctypes.c_size_t),
            ("ActiveProcessLimit", ctypes.c_uint32),
            ("Affinity", ctypes.c_size_t),
            ("PriorityClass", ctypes.c_uint32),
            ("SchedulingClass", ctypes.c_uint32),
        )

    class _ExtendedLimits(ctypes.Structure):
        """JOBOBJECT_EXTENDED_LIMIT_INFORMATION."""

        _fields_ = (
            ("BasicLimitInformation", _BasicLimits),
            ("IoInfo", ctypes.c_uint64 * 6),
            ("ProcessMemoryLimit", ctypes.c_size_t),
            ("JobMemoryLimit", ctypes.c_size_t),
            ("PeakProcessMemoryUsed", ctypes.c_size_t),
            ("PeakJobMemoryUsed", ctypes.c_size_t),
        )

    _kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
    _kernel32.CreateJobObjectW.restype = ctypes.c_void_p
    _kernel32.OpenProcess.restype = ctypes.c_void_p
    _jobs: list[int] = []

    def _open_job() -> int:
        """Return this program's job, whose handle stays open until its end."""
        if not _jobs:
            job = _kernel32.CreateJobObjectW(None, None)
            limits = _ExtendedLimits()
            limits.BasicLimitInformation.LimitFlags = _JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
            _kernel32.SetInformationJobObject(
                ctypes.c_void_p(job),
                _JOB_OBJECT_EXTENDED_LIMIT_INFORMATION,
                ctypes.byref(limits),
                ctypes.sizeof(limits),
            )
            _jobs.append(job)
        return _jobs[0]

    def _assign_to_job(pid: int) -> None:
        handle = _kernel32.OpenProcess(_PROCESS_SET_QUOTA_AND_TERMINATE, False, pid)
        if handle:
            _kernel32.AssignProcessToJobObject(ctypes.c_void_p(_open_job()), ctypes.c_void_p(handle))
            _kernel32.CloseHandle(ctypes.c_void_p(handle))
