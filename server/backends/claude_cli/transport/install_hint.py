"""Instructions for installing Claude Code on this computer. Standard library only, because dev.py uses it."""

import platform
import sys

INSTALL_LINES = {
    "win32": ("PowerShell", "irm https://claude.ai/install.ps1 | iex"),
    "posix": ("a terminal", "curl -fsSL https://claude.ai/install.sh | bash"),
}
"""Where to run the official installer, and its line: https://code.claude.com/docs/en/setup."""

BUNDLED = {"linux": ("x86_64", "aarch64"), "darwin": ("arm64",), "win32": ("amd64",)}
"""Systems and processors for which the extra `bundled-cli` has wheels; its markers in pyproject.toml are the same.

`claude-agent-sdk` has none for Windows on ARM. `cryptography`, which it needs, has none for Macs with Intel processors.
"""


def install_hint() -> str:
    """Instruction for a user without Claude Code, which fits the system and how this program was installed."""
    return describe_install(sys.platform, with_extra=not getattr(sys, "frozen", False) and has_bundled_cli())


def describe_install(system: str, *, with_extra: bool) -> str:
    """Describe how to install Claude Code on `system`. `with_extra` offers the extra, which needs pip."""
    shell, line = INSTALL_LINES["win32" if system == "win32" else "posix"]
    extra = ", or add the extra `bundled-cli` to this program" if with_extra else ""
    return f"Run `{line}` in {shell}{extra}. If Claude Code is installed, set claude_path to the path of `claude`."


def has_bundled_cli(system: str = sys.platform, machine: str | None = None, libc: str | None = None) -> bool:
    """Whether the extra `bundled-cli` can be installed; on this computer if `machine` and `libc` are None.

    `libc` counts on Linux, where it must be glibc.
    """
    machine = platform.machine() if machine is None else machine
    if machine.lower() not in BUNDLED.get(system, ()):
        return False
    return system != "linux" or (platform.libc_ver()[0] if libc is None else libc) == "glibc"
