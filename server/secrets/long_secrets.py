"""Secrets longer than an entry of the keyring, split over several entries.

Windows' Credential Manager takes 2560 bytes for each entry (CRED_MAX_CREDENTIAL_BLOB_SIZE), and the text is stored in
UTF-16. Other keyrings have no limit that matters here.
"""

import secrets
from typing import Protocol

WINDOWS_BYTES = 2560
_MARK = "dragoman-parts:"
"""Begins an entry that only names its parts: `dragoman-parts:TAG:COUNT`."""
_PART_CHARACTERS = 600
"""Of four bytes at most."""


class Entries(Protocol):
    """The entries of a keyring, by name."""

    def read(self, name: str) -> str | None: ...

    def write(self, name: str, value: str) -> None: ...

    def delete(self, name: str) -> None: ...


def read_long(entries: Entries, name: str) -> str | None:
    """Read a secret, joined from its parts."""
    head = entries.read(name)
    parts = [entries.read(part) for part in _part_names(name, head)]
    if not parts:
        return head
    # Another process has written a new value since the head was read: its parts are other entries.
    if None in parts and (now := entries.read(name)) != head:
        return read_long(entries, name) if now is not None else None
    return "".join(part or "" for part in parts)


def write_long(entries: Entries, name: str, value: str, *, max_bytes: int) -> None:
    """Write a secret. The parts come first and the head that names them last, so a reader never sees a mixture."""
    old = _part_names(name, entries.read(name))
    if len(value.encode("utf-16-le", "surrogatepass")) <= max_bytes:
        entries.write(name, value)
    else:
        texts = [value[start : start + _PART_CHARACTERS] for start in range(0, len(value), _PART_CHARACTERS)]
        head = f"{_MARK}{secrets.token_hex(4)}:{len(texts)}"
        for part, text in zip(_part_names(name, head), texts, strict=True):
            entries.write(part, text)
        entries.write(name, head)
    for part in old:
        entries.delete(part)


def delete_long(entries: Entries, name: str) -> None:
    """Delete a secret and its parts."""
    parts = _part_names(name, entries.read(name))
    for entry in (name, *parts):
        entries.delete(entry)


def _part_names(name: str, head: str | None) -> list[str]:
    """The names of the parts that an entry names; none for an ordinary secret."""
    tag, _, count = (head or "").removeprefix(_MARK).partition(":")
    if not (head or "").startswith(_MARK) or not count.isdecimal():
        return []
    return [f"{name}/{tag}/{index}" for index in range(int(count))]
