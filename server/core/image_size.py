"""Width and height of an image from its first bytes."""

import binascii
import struct

HEAD = 256 * 1024
"""Number of base64 characters to decode: a JPEG's size comes after its previews."""


def size_of_base64(data: str) -> tuple[int, int] | None:
    """Width and height in pixels of a base64 image; None for unknown formats."""
    try:
        return image_size(binascii.a2b_base64(data[: min(len(data), HEAD) // 4 * 4]))
    except ValueError:
        return None


def image_size(head: bytes) -> tuple[int, int] | None:
    """Width and height in pixels of a PNG, GIF, JPEG or WebP; None for others."""
    try:
        if head.startswith(b"\x89PNG\r\n\x1a\n"):
            return struct.unpack_from(">II", head, 16)
        if head.startswith((b"GIF87a", b"GIF89a")):
            return struct.unpack_from("<HH", head, 6)
        if head.startswith(b"\xff\xd8"):
            return _jpeg_size(head)
        if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
            return _webp_size(head)
    except (struct.error, IndexError):
        pass
    return None


def _jpeg_size(head: bytes) -> tuple[int, int]:
    """Read the frame header (ITU T.81, B.2.2), skipping the segments before it."""
    offset = 2
    while True:
        marker = head[offset + 1]
        if head[offset] != 0xFF or marker == 0xFF:
            offset += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", head, offset + 5)
            return width, height
        else:
            offset += 2 + struct.unpack_from(">H", head, offset + 2)[0]


def _webp_size(head: bytes) -> tuple[int, int] | None:
    """The first chunk: https://developers.google.com/speed/webp/docs/riff_container."""
    match head[12:16]:
        case b"VP8X":
            return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
        case b"VP8L":
            bits = int.from_bytes(head[21:25], "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", head, 26)
            return width & 0x3FFF, height & 0x3FFF
    return None
