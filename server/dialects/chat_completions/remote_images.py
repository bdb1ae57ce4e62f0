"""Images that a body names by web address. Fetching is the caller's; this finds them and puts them in."""

from collections.abc import Iterator, Mapping
from typing import Any

from server.dialects.chat_completions.media import is_web_url


def remote_images(body: Any) -> list[str]:
    """The http(s) addresses of the images in `body`, each once, in order. Takes any body, raises nothing."""
    return list(dict.fromkeys(url for image in _images(body) if is_web_url(url := image["url"])))


def with_images(body: Any, data_urls: Mapping[str, str]) -> Any:
    """A copy of `body` in which every image address that `data_urls` knows is replaced by its data URL."""
    if not data_urls or not remote_images(body):
        return body
    return {**body, "messages": [_replaced(message, data_urls) for message in body["messages"]]}


def _images(body: Any) -> Iterator[dict[str, Any]]:
    messages = body.get("messages") if isinstance(body, dict) else None
    for message in messages if isinstance(messages, list) else []:
        content = message.get("content") if isinstance(message, dict) else None
        parts = content if isinstance(content, list) else []
        yield from (part["image_url"] for part in parts if _is_image(part))


def _is_image(part: Any) -> bool:
    if not isinstance(part, dict) or part.get("type") != "image_url":
        return False
    image = part.get("image_url")
    return isinstance(image, dict) and isinstance(image.get("url"), str)


def _replaced(message: Any, data_urls: Mapping[str, str]) -> Any:
    if not isinstance(message, dict) or not isinstance(message.get("content"), list):
        return message
    return {**message, "content": [_replaced_part(part, data_urls) for part in message["content"]]}


def _replaced_part(part: Any, data_urls: Mapping[str, str]) -> Any:
    if not _is_image(part):
        return part
    image = part["image_url"]
    return {**part, "image_url": {**image, "url": data_urls.get(image["url"], image["url"])}}
