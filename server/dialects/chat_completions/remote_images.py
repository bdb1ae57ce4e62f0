"""Images by web address: parts of the type `image_url`."""

from typing import Any

from server.dialects.openai.media import is_web_url
from server.dialects.remote_images import RemoteImages


def _read_address(part: dict[str, Any]) -> str | None:
    image = part.get("image_url") if part.get("type") == "image_url" else None
    url = image.get("url") if isinstance(image, dict) else None
    return url if isinstance(url, str) and is_web_url(url) else None


def _embed(part: dict[str, Any], data_url: str) -> dict[str, Any]:
    return {**part, "image_url": {**part["image_url"], "url": data_url}}


REMOTE_IMAGES = RemoteImages(_read_address, _embed)
