"""Refusals of definitions of the API's own tools, by the types of the `anthropic` package."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin, get_type_hints

import anthropic.types
import anthropic.types.beta
from typing_extensions import is_typeddict

Tool = Mapping[str, Any]


def _native_types() -> dict[str, Any]:
    """The TypedDict of each type of tool: `web_search_20250305` and so on."""
    found: dict[str, Any] = {}
    for module in (anthropic.types.beta, anthropic.types):
        for name in dir(module):
            if (
                "Tool" in name
                and "Caller" not in name
                and name.endswith("Param")
                and is_typeddict(getattr(module, name))
            ):
                kinds = get_args(_bare(get_type_hints(getattr(module, name)).get("type")))
                found |= {kind: getattr(module, name) for kind in kinds if re.search(r"_\d{8}$", str(kind))}
    return found


def _bare(hint: Any) -> Any:
    return hint if get_origin(hint) is Literal else next(iter(get_args(hint)), None)


NATIVE_TYPES = _native_types()


def native_tool_faults(at: str, tool: Tool) -> Iterator[str]:
    """Each fault of one definition."""
    kind = str(tool.get("type"))
    if kind not in NATIVE_TYPES:
        yield (
            f"{at}: Input tag '{kind}' found using 'type' does not match any of the expected tags: "
            f"{', '.join(map(repr, sorted(NATIVE_TYPES)))}"
        )
        return
    fields = get_type_hints(NATIVE_TYPES[kind])
    at = f"{at}.{kind}"
    yield from (f"{at}.{name}: Extra inputs are not permitted" for name in tool if name not in fields)
    if "name" in fields and tool.get("name") not in get_args(_bare(fields["name"])):
        yield f"{at}.name: Input should be '{get_args(_bare(fields['name']))[0]}'"
    yield from _search_faults(at, tool)


def _search_faults(at: str, tool: Tool) -> Iterator[str]:
    if tool.get("allowed_domains") and tool.get("blocked_domains"):
        yield f"{at}: only one of allowed_domains and blocked_domains may be given."
    uses = tool.get("max_uses")
    if uses is not None and (not isinstance(uses, int) or uses < 1):
        yield f"{at}.max_uses: Input should be greater than 0"
    for name in ("allowed_domains", "blocked_domains"):
        for position, domain in enumerate(tool.get(name) or ()):
            if not isinstance(domain, str) or "://" in domain:
                yield f"{at}.{name}.{position}: Invalid domain format. Do not include a scheme."
    place = tool.get("user_location") or {}
    if place and place.get("type") != "approximate":
        yield f"{at}.user_location.type: Input should be 'approximate'"
    if place.get("country") is not None and len(str(place["country"])) != 2:
        yield f"{at}.user_location.country: String should have at most 2 characters"
