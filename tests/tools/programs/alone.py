"""Namespaces for the programs: loopback is the only network, and no process outlives the run."""

import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence

_UNSHARE = ("unshare", "--user", "--map-root-user", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 1


def alone(command: Sequence[str]) -> list[str] | None:
    """The command in namespaces of its own; None where the system has none for us."""
    if shutil.which(_UNSHARE[0]) is None or subprocess.run([*_UNSHARE, "true"], capture_output=True).returncode:
        return None
    return [*_UNSHARE, *command]


def raise_loopback() -> None:
    """Bring up `lo`, which is down in a new namespace."""
    if sys.platform == "linux":
        import fcntl

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", _IFF_UP))
