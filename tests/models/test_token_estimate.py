"""Estimates of input tokens."""

import base64
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.messages import MessagesRequest, text_block
from server.models.token_estimate import estimate_tokens

TOOL = {"name": "look", "description": "Looks around.", "input_schema": {"type": "object", "properties": {}}}


def estimate(*blocks, **fields):
    content = [text_block(block) if isinstance(block, str) else block for block in blocks]
    messages = [{"role": "user", "content": content}]
    return estimate_tokens(MessagesRequest(model="m", requested_model="m", messages=messages, **fields))


def encoded(content):
    return base64.b64encode(content).decode()


def image(content):
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": encoded(content)}}


def pdf(content):
    source = {"type": "base64", "media_type": "application/pdf", "data": encoded(content)}
    return {"type": "document", "source": source}


def png(width, height):
    return b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + struct.pack(">II", width, height) + b"\x08\x06\0\0\0"


def jpeg(width, height):
    exif = b"\xff\xe1" + struct.pack(">H", 2 + 5000) + b"\xff\xc0" * 2500
    frame = b"\xff\xc2" + struct.pack(">HBHHB", 17, 8, height, width, 3)
    return b"\xff\xd8" + exif + b"\xff\xdb\x00\x04ab" + frame


def gif(width, height):
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\0\0\0"


def webp(kind, size):
    return b"RIFF\0\0\0\0WEBP" + kind + b"\0\0\0\0" + size


def webp_lossy(width, height):
    return webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height))


def webp_lossless(width, height):
    return webp(b"VP8L", b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14))


def webp_extended(width, height):
    return webp(b"VP8X", b"\0\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little"))


@pytest.mark.parametrize("draw", [png, jpeg, gif, webp_lossy, webp_lossless, webp_extended])
@pytest.mark.parametrize(("size", "tokens"), [((750, 1000), 1000), ((300, 250), 100), ((8000, 6000), 4784)])
def test_images_are_counted_by_their_pixels(draw, size, tokens):
    assert estimate(image(draw(*size))) - estimate() == tokens


@pytest.mark.parametrize(
    "content", [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"\xff\xd8\xff\xff", b"RIFF\0\0\0\0WEBP?", b"no image"]
)
def test_an_image_that_cannot_be_read_is_counted_all_the_same(content):
    assert estimate(image(content)) - estimate() == 1600


def test_pdfs_are_counted_by_their_pages():
    three = b"%PDF-1.4 << /Type /Pages >> " + b"<< /Type /Page >> <</Type/Page/Parent 2 0 R>> " + b"/Type  /Page\n"
    assert estimate(pdf(three)) - estimate() == 7500
    assert estimate(pdf(b"%PDF-1.7" + bytes(100_000))) - estimate() == 5000


def test_english_prose_is_near_a_token_for_three_quarters_of_a_word():
    words = "The quick brown fox jumps over the lazy dog and then it sleeps for a while in the sun. " * 100
    assert 1700 <= estimate(words) <= 2700


def test_other_scripts_take_more_tokens_a_character():
    assert estimate("猫" * 100) > 2 * estimate("c" * 100)


def test_all_parts_count():
    plain = estimate("a")
    assert estimate("a", system=("Be kind and brief.",)) > plain
    assert estimate("a", tools=[TOOL]) > plain + 350
    assert estimate("a", output_schema={"type": "object"}) > plain
    call = {"type": "tool_use", "id": "t", "name": "look", "input": {"a": "x" * 100}}
    assert estimate("a", call) > plain + 25
    result = {"type": "tool_result", "tool_use_id": "t", "content": [text_block("x" * 350), image(png(750, 1000))]}
    assert estimate("a", result) > plain + 1100
    text = {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": "x" * 350},
        "title": "t" * 35,
    }
    assert estimate("a", text) >= plain + 110
    parts = {"type": "document", "source": {"type": "content", "content": [text_block("x" * 350)]}}
    assert estimate("a", parts) >= plain + 100
    found = {"type": "search_result", "source": "s", "title": "t", "content": [text_block("x" * 350)]}
    assert estimate("a", found) >= plain + 100


def test_earlier_thinking_does_not_count():
    assert estimate("a", {"type": "thinking", "thinking": "x" * 1000, "signature": "s"}) == estimate("a")


@given(st.text(), st.text())
def test_more_text_is_never_fewer_tokens(one, other):
    assert 0 < estimate(one) <= estimate(one + other)


@given(
    st.binary(max_size=60),
    st.sampled_from([b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8X"]),
)
def test_any_bytes(content, head):
    assert 0 <= estimate(image(head + content)) - estimate() <= 4785
    assert estimate(pdf(content)) > estimate()
