"""Images by web address: image blocks with a source of the type `url`."""

from typing import Any

from server.dialects.remote_images import RemoteImages


def _read_address(block: dict[str, Any]) -> str | None:
    source = block.get("source") if block.get("type") == "image" else None
    url = source.get("url") if isinstance(source, dict) and source.get("type") == "url" else None
    return url if isinstance(url, str) else None


def _embed(block: dict[str, Any], data_url: str) -> dict[str, Any]:
    head, _, data = data_url.partition(",")
    media_type = head.removeprefix("data:").partition(";")[0]
    return {**block, "source": {"type": "base64", "media_type": media_type, "data": data}}


REMOTE_IMAGES = RemoteImages(_read_address, _embed)
