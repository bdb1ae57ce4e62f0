"""Images that a body names by web address. Fetching is the caller's; this finds them and puts them in."""

from collections.abc import Iterator, Mapping
from typing import Any


def remote_images(body: Any) -> list[str]:
    """The web addresses of the images in `body`, each once, in order. Takes any body, raises nothing."""
    return list(dict.fromkeys(image["source"]["url"] for image in _images(_messages(body))))


def with_images(body: Any, data_urls: Mapping[str, str]) -> Any:
    """A copy of `body` in which every image whose address `data_urls` knows is there in base64."""
    if not data_urls or not remote_images(body):
        return body
    return {**body, "messages": [_embedded(message, data_urls) for message in body["messages"]]}


def _messages(body: Any) -> list[Any]:
    messages = body.get("messages") if isinstance(body, dict) else None
    return messages if isinstance(messages, list) else []


def _images(parts: list[Any]) -> Iterator[dict[str, Any]]:
    """The images in messages, in blocks, and in the blocks of tool results."""
    for part in parts:
        if _is_remote_image(part):
            yield part
        elif isinstance(part, dict) and _may_hold_images(part):
            yield from _images(part["content"])


def _may_hold_images(part: dict[str, Any]) -> bool:
    return isinstance(part.get("content"), list) and ("role" in part or part.get("type") == "tool_result")


def _is_remote_image(part: Any) -> bool:
    if not isinstance(part, dict) or part.get("type") != "image":
        return False
    source = part.get("source")
    return isinstance(source, dict) and source.get("type") == "url" and isinstance(source.get("url"), str)


def _embedded(part: Any, data_urls: Mapping[str, str]) -> Any:
    if _is_remote_image(part):
        data_url = data_urls.get(part["source"]["url"])
        return part if data_url is None else {**part, "source": _as_source(data_url)}
    if isinstance(part, dict) and _may_hold_images(part):
        return {**part, "content": [_embedded(inner, data_urls) for inner in part["content"]]}
    return part


def _as_source(data_url: str) -> dict[str, str]:
    head, _, data = data_url.partition(",")
    media_type = head.removeprefix("data:").partition(";")[0]
    return {"type": "base64", "media_type": media_type, "data": data}
