"""A search of the web as OpenAI's APIs ask for it, as Anthropic's own tool.

https://platform.openai.com/docs/guides/tools-web-search,
https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, cast

from typing_extensions import TypedDict

from server.core.messages import Tool

TOOL_NAME = "web_search"
_TOOL_TYPE = "web_search_20250305"
"""The version that all models take."""

ContextSize = Literal["low", "medium", "high"]
_MAX_SEARCHES: Mapping[ContextSize, int] = {"low": 2, "medium": 5, "high": 10}
"""Anthropic limits searches, not the share of the context that they fill."""

_SEARCH_MODEL = re.compile(r"(^|/)gpt-[\w.-]+-search(-preview|-api)?(-\d{4}-\d{2}-\d{2})?$")


class Place(TypedDict):
    """Where the user is, roughly."""

    city: NotRequired[str | None]
    country: NotRequired[str | None]
    region: NotRequired[str | None]
    timezone: NotRequired[str | None]


def is_search_model(name: str) -> bool:
    """Whether the model of this name always searches, such as gpt-4o-search-preview."""
    return _SEARCH_MODEL.search(name.strip().lower()) is not None


def make_search_tool(size: ContextSize | None, place: Place | None, allowed_domains: Sequence[str] = ()) -> Tool:
    """Anthropic's tool for a search."""
    tool: dict[str, Any] = {"type": _TOOL_TYPE, "name": TOOL_NAME, "max_uses": _MAX_SEARCHES[size or "medium"]}
    if domains := list(dict.fromkeys(filter(None, map(_bare_domain, allowed_domains)))):
        tool["allowed_domains"] = domains
    known = {name: place.get(name) for name in ("city", "country", "region", "timezone")} if place else {}
    if known := {name: value for name, value in known.items() if value}:
        tool["user_location"] = {"type": "approximate", **known}
    return cast(Tool, tool)


def _bare_domain(domain: str) -> str:
    """The domain without a scheme, which Anthropic refuses, and without a closing slash."""
    return re.sub(r"^[a-z]+://", "", domain.strip(), flags=re.I).rstrip("/")
