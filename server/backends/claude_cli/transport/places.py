"""Paths of `claude` by installer and version manager.

A program that a desktop starts has a short PATH without the folders that a shell's profile adds. Folders come from the
tools' documentation. Shims that need the manager on PATH (asdf's) are left out; the installations behind them are used.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

NPM_PROGRAM = "node_modules/@anthropic-ai/claude-code/bin/claude.exe"
"""The program in a folder of npm's, on every system. On Windows npm puts a batch file on PATH, which is not used."""


class Manager(NamedTuple):
    """A tool that installs programs.

    `variable` names its folder; otherwise it is one of `folders`. `patterns` are the folders of programs in it, where
    several versions may match.
    """

    variable: str
    folders: tuple[str, ...]
    patterns: tuple[str, ...]


POSIX_FOLDERS = (
    "~/.local/bin",  # the official installer
    "~/.claude/local",  # its predecessor
    "/opt/homebrew/bin",
    "/usr/local/bin",
    "/usr/bin",
    "/home/linuxbrew/.linuxbrew/bin",
    "/opt/local/bin",  # MacPorts
    "/snap/bin",
    "~/.nix-profile/bin",
    "/run/current-system/sw/bin",
    "/nix/var/nix/profiles/default/bin",
    "~/.npm-global/bin",  # as npm's documentation suggests
    "~/.yarn/bin",
    "~/.config/yarn/global/node_modules/.bin",
)
POSIX_MANAGERS = (
    Manager("PNPM_HOME", ("~/.local/share/pnpm", "~/Library/pnpm"), ("", "bin")),
    Manager("BUN_INSTALL", ("~/.bun",), ("bin",)),
    Manager("VOLTA_HOME", ("~/.volta",), ("tools/image/packages/@anthropic-ai/claude-code/bin", "bin")),
    Manager(
        "MISE_DATA_DIR",
        ("~/.local/share/mise",),
        (
            "installs/claude*/*",
            "installs/claude*/*/bin",
            "installs/npm-anthropic-ai-claude-code/*/bin",
            "installs/node/*/bin",
        ),
    ),
    Manager("ASDF_DATA_DIR", ("~/.asdf",), ("installs/claude*/*/bin", "installs/nodejs/*/bin")),
    Manager("NVM_DIR", ("~/.nvm", "~/.config/nvm"), ("versions/node/*/bin",)),
    Manager(
        "FNM_DIR",
        ("~/.local/share/fnm", "~/Library/Application Support/fnm", "~/.fnm"),
        ("aliases/default/bin", "node-versions/*/installation/bin"),
    ),
    Manager("N_PREFIX", ("~/n",), ("bin",)),
    Manager("NODENV_ROOT", ("~/.nodenv",), ("versions/*/bin",)),
)
WINDOWS_FOLDERS = (
    "~/.local/bin",
    "~/.claude/local",
    "$LOCALAPPDATA/Microsoft/WinGet/Links",
    "$PROGRAMFILES/WinGet/Links",
    "~/scoop/apps/claude-code/current",
    "~/.bun/bin",
)
WINDOWS_MANAGERS = (
    Manager("", ("$APPDATA/npm",), ("",)),
    Manager("PNPM_HOME", ("$LOCALAPPDATA/pnpm",), ("global/*",)),
    Manager("VOLTA_HOME", ("$LOCALAPPDATA/Volta",), ("tools/image/packages/@anthropic-ai/claude-code",)),
    Manager("MISE_DATA_DIR", ("$LOCALAPPDATA/mise",), ("installs/npm-anthropic-ai-claude-code/*", "installs/node/*")),
    Manager("NVM_SYMLINK", ("$PROGRAMFILES/nodejs",), ("",)),
    Manager("NVM_HOME", ("$APPDATA/nvm", "$LOCALAPPDATA/nvm"), ("v*",)),
    Manager(
        "FNM_DIR",
        ("$APPDATA/fnm", "$LOCALAPPDATA/fnm"),
        ("aliases/default", "node-versions/*/installation"),
    ),
    Manager("", ("$LOCALAPPDATA/Yarn/Data/global",), ("",)),
)


def find_places(system: str, environment: Mapping[str, str], home: Path) -> Iterator[Path]:
    """Yield paths at which the program may be, in order of preference; newer versions of one manager first.

    `system` is a value of `sys.platform`, and `environment` that of the user. Reads folders and starts nothing.
    """
    windows = system == "win32"
    program = "claude.exe" if windows else "claude"
    for name in WINDOWS_FOLDERS if windows else POSIX_FOLDERS:
        if (folder := _expand(name, environment, home)) is not None:
            yield folder / program
    # npm's own programs: on Windows the batch file on PATH runs this one.
    program = NPM_PROGRAM if windows else program
    if (prefix := _npm_prefix(environment, home)) is not None:
        yield (prefix if windows else prefix / "bin") / program
    for manager in WINDOWS_MANAGERS if windows else POSIX_MANAGERS:
        for folder in _folders(manager, environment, home):
            for pattern in manager.patterns:
                yield from (match / program for match in _newest_first(folder, pattern))


def _folders(manager: Manager, environment: Mapping[str, str], home: Path) -> Iterator[Path]:
    if named := environment.get(manager.variable):
        yield Path(named)
    for name in manager.folders:
        if (folder := _expand(name, environment, home)) is not None:
            yield folder


def _expand(name: str, environment: Mapping[str, str], home: Path) -> Path | None:
    """Resolve `~` and a leading variable. None if the variable is not set."""
    first, _, rest = name.partition("/")
    if first == "~":
        return home / rest
    if first.startswith("$"):
        return Path(environment[first[1:]], rest) if environment.get(first[1:]) else None
    return Path(name)


def _newest_first(folder: Path, pattern: str) -> list[Path]:
    """Subfolders that match, by the numbers in their names. Names without numbers, such as aliases, come last."""
    if "*" not in pattern:
        return [folder / pattern]
    try:
        matches = list(folder.glob(pattern))
    except OSError:  # not readable
        return []
    return sorted(matches, key=lambda match: _version(match.relative_to(folder)), reverse=True)


def _version(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"[0-9]+", str(path))]


def _npm_prefix(environment: Mapping[str, str], home: Path) -> Path | None:
    """The folder that the user chose for npm's global programs: https://docs.npmjs.com/cli/configuring-npm/folders."""
    named = environment.get("NPM_CONFIG_PREFIX") or environment.get("npm_config_prefix")
    if named is None:
        try:
            settings = (home / ".npmrc").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        found = re.search(r"^\s*prefix\s*=\s*[\"']?(.+?)[\"']?\s*$", settings, re.MULTILINE)
        named = found[1] if found else ""
    named = re.sub(r"^(~|\$\{HOME\}|\$HOME)(?=[/\\]|$)", lambda _: str(home), named)
    return Path(named) if named else None
