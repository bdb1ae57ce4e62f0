"""What a completion's prompt asks for: a hole, a continuation, or what the client's own instruction says."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from server.dialects.fill_in.templates import (
    FILE_SEPARATOR,
    OTHER_TOKENS,
    REPOSITORY,
    TEMPLATES,
    Hole,
    is_marker,
)

_OPEN_TAG = re.compile(r"<(\w[\w-]*)>\s*\Z")


@dataclass(frozen=True, slots=True)
class Prompt:
    """The text around the cursor.

    `suffix` None: a text to continue after `prefix`, not a file with a hole. `files` are other files of the repository,
    each with its path in the first line if the client gave one; `repository` and `path` are the names of the repository
    and of the file with the cursor, if known. `is_instruction`: `prefix` is the client's own instruction to a chat
    model, which says how to answer.
    """

    prefix: str
    suffix: str | None = None
    files: tuple[str, ...] = ()
    repository: str = ""
    path: str = ""
    is_instruction: bool = False


def read_prompt(prompt: str, suffix: str | None = None, stops: Sequence[str] = ()) -> Prompt:
    """Read a prompt with the field `suffix`, or with a code model's markers in the prompt itself.

    A prompt whose last word is a tag that a stop sequence closes is an instruction (Continue's for chat models).
    """
    if not suffix:
        hole = next(filter(None, (template.read(prompt) for template in TEMPLATES)), None)
        if hole is not None:
            return _with_header(hole)
        tag = _OPEN_TAG.search(prompt)
        if tag is not None and f"</{tag[1]}>" in stops:
            return Prompt(prompt, is_instruction=True)
    return Prompt(prompt, suffix or None)


def drop_markers(stops: Iterable[str]) -> list[str]:
    """The stop sequences that can occur in an answer: no empty ones, no markers of code models, each once."""
    return [stop for stop in dict.fromkeys(stops) if stop and not is_marker(stop)]


def _with_header(hole: Hole) -> Prompt:
    """The prompt with the repository's name and files from its header."""
    repository, *files = FILE_SEPARATOR.split(OTHER_TOKENS.sub("", hole.header))
    name = REPOSITORY.sub("", repository).strip()
    if not REPOSITORY.search(repository) and name:
        files, name = [repository, *files], ""
    path = ""
    if files and "\n" not in files[-1].strip():
        # The line between the last separator and the hole is the path of the file with the cursor.
        path = files.pop().strip()
    kept = tuple(text.strip("\r\n") for text in files if text.strip())
    return Prompt(hole.prefix, hole.suffix, kept, name, path)
