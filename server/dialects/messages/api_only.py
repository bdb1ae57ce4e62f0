"""What a Messages body asks for and only the Anthropic API has."""

from collections.abc import Iterator, Mapping
from typing import Any

from server.core.messages import ApiOnly
from server.models.betas import feature_of

_MCP_SERVERS = "mcp_servers"
_MCP_TOOLSET = "mcp_toolset"
_FILE = "file_id"
_BETAS = {_MCP_SERVERS: "mcp-client-2025-04-04", _FILE: "files-api-2025-04-14"}
"""The features that the API requires, for clients that name none, as plain HTTP clients do."""


def find_api_only(body: Mapping[str, Any]) -> ApiOnly | None:
    """The part of a checked body for the API alone; None if Claude Code has everything.

    MCP servers that Anthropic connects to: https://docs.anthropic.com/en/docs/agents-and-tools/mcp-connector.
    Uploaded files belong to the workspace of an API key: https://docs.anthropic.com/en/docs/build-with-claude/files.
    """
    fields = {_MCP_SERVERS: body[_MCP_SERVERS]} if body.get(_MCP_SERVERS) else {}
    toolsets = any(tool.get("type") == _MCP_TOOLSET for tool in body.get("tools") or ())
    needs = [_MCP_SERVERS] if fields or toolsets else []
    if any(_find_files(body.get("messages"))):
        needs.append(_FILE)
    return ApiOnly(tuple(needs), fields) if needs else None


def with_needed_betas(betas: tuple[str, ...], api_only: ApiOnly | None) -> tuple[str, ...]:
    """The client's features and those that `api_only` requires; a version that the client names stays."""
    given = {feature_of(beta) for beta in betas}
    needed = (_BETAS[name] for name in (api_only.needs if api_only else ()))
    return (*betas, *(beta for beta in needed if feature_of(beta) not in given))


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
