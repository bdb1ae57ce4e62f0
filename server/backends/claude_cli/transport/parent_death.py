"""A process dies with this program, even when that is killed. One seam for what each system has for it.

At the end of its input the CLI exits, but in the middle of a turn it notices that only with its next word, and a
model may think for minutes: at the user's cost, for nobody. Linux tells the child of its parent's death
(prctl(2), PR_SET_PDEATHSIG), Windows ends all processes of a job when its last handle is closed, which a killed
program's are. macOS has nothing of the kind: there the end of input has to do.
"""

import ctypes
import sys
from collections.abc import Callable
from typing import Any

_PR_SET_PDEATHSIG = 1
_SIGKILL = 9


def start_options() -> dict[str, Any]:
    """How `asyncio.create_subprocess_exec` has to start it, beside the pipes.

    In a group of its own, so that Ctrl-C in the terminal reaches this program alone, which then stops its processes.
    """
    if sys.platform == "win32":
        create_new_process_group, create_no_window = 0x00000200, 0x08000000
        return {"creationflags": create_new_process_group | create_no_window}
    options: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "linux" and _die_with_parent is not None:
        options["preexec_fn"] = _die_with_parent
    return options


def bind_to_parent(pid: int) -> None:
    """Bind a started process to this program's end, where that is done from outside."""
    if sys.platform == "win32":
        _assign_to_job(pid)


def _death_signal() -> Callable[[], None] | None:
    """What a child calls between fork and exec. Everything is looked up before: there only this one call is safe."""
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

    def _job() -> int:
        """The job of this program's processes; its handle is kept until the program ends."""
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
            _kernel32.AssignProcessToJobObject(ctypes.c_void_p(_job()), ctypes.c_void_p(handle))
            _kernel32.CloseHandle(ctypes.c_void_p(handle))
