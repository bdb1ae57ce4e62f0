"""Reading and editing of the settings file, `settings.toml`. Edits keep comments and order."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from server.config.paths import write_private
from server.core.errors import SettingsInvalid

SETTINGS_FILE = "settings.toml"


def read_settings_file(path: Path) -> dict[str, Any]:
    """Read the keys of the file at `path`; none if there is no file.

    Raises SettingsInvalid if it cannot be read or is not TOML.
    """
    return _parse_toml(_read_text(path), path)


def edit_settings_file(path: Path, changes: Mapping[str, Any]) -> None:
    """Set the keys of `changes` in the file at `path`, and remove those that are None. Creates the file if needed.

    Raises SettingsInvalid, and leaves the file unchanged, if it cannot be read or written or is not TOML.
    """
    import tomlkit

    text = _read_text(path)
    _parse_toml(text, path)
    document = tomlkit.parse(text)
    for name, value in changes.items():
        if value is None:
            document.pop(name, None)
        else:
            document[name] = value
    try:
        write_private(path, document.as_string().encode())
    except OSError as error:
        raise _file_error(path, f"cannot be written: {error.strerror or error}") from error


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise _file_error(path, f"cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise _file_error(path, f"is not UTF-8 text (byte {error.start})") from error


def _parse_toml(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _file_error(path, f"is not valid TOML: {error}") from error


def _file_error(path: Path, reason: str) -> SettingsInvalid:
    hint = "Correct the file, or move it to start with the defaults."
    return SettingsInvalid(f"The settings file {path} {reason}.", source=str(path), hint=hint)
