"""What a Messages body asks for and only the Anthropic API has."""

from collections.abc import Iterator, Mapping
from typing import Any

from server.core.messages import ApiOnly

_FIELDS = ("mcp_servers", "container")
_MCP_BETA = "mcp-client-2025-04-04"
"""For clients that name no version, as plain HTTP clients do: the version without a toolset."""
_FILES_BETA = "files-api-2025-04-14"


def find_api_only(body: Mapping[str, Any], betas: list[str]) -> ApiOnly | None:
    """The part of a checked body for the API alone; None if Claude Code has everything.

    MCP servers that Anthropic connects to: https://docs.anthropic.com/en/docs/agents-and-tools/mcp-connector.
    Uploaded files belong to the workspace of an API key: https://docs.anthropic.com/en/docs/build-with-claude/files.
    """
    fields = {name: body[name] for name in _FIELDS if body.get(name)}
    needs = [*fields]
    wanted = [name.strip() for name in betas if name.strip()]
    if "mcp_servers" in fields and not any(name.startswith("mcp-client") for name in wanted):
        wanted.append(_MCP_BETA)
    if any(_find_files(body.get("messages"))):
        needs.append("file_id")
        if not any(name.startswith("files-api") for name in wanted):
            wanted.append(_FILES_BETA)
    return ApiOnly(tuple(needs), fields, tuple(dict.fromkeys(wanted))) if needs else None


def _find_files(value: Any) -> Iterator[bool]:
    """One True for each source that names an uploaded file."""
    if isinstance(value, list):
        for item in value:
            yield from _find_files(item)
    elif isinstance(value, dict):
        source = value.get("source")
        if isinstance(source, dict) and source.get("type") == "file":
            yield True
        for name in ("content", "source"):
            yield from _find_files(value.get(name))
