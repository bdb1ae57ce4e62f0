"""Images and files by web address: parts of the types `input_image` and `input_file`."""

from typing import Any

from server.dialects.openai.media import is_web_url
from server.dialects.remote_images import RemoteImages


def _read_address(part: dict[str, Any]) -> str | None:
    kind = part.get("type")
    if kind == "input_image":
        url = part.get("image_url")
    elif kind == "input_file" and part.get("file_data") is None:
        url = part.get("file_url")
    else:
        return None
    return url if isinstance(url, str) and is_web_url(url) else None


def _embed(part: dict[str, Any], data_url: str) -> dict[str, Any]:
    if part["type"] == "input_image":
        return {**part, "image_url": data_url}
    return {**{name: value for name, value in part.items() if name != "file_url"}, "file_data": data_url}


REMOTE_IMAGES = RemoteImages(_read_address, _embed, root="input", nested=("content", "output"))
