"""Images and documents reach the model byte for byte, in the question and in the history, in both dialects."""

import base64
import struct
import zlib
from typing import Any

import openai
import pytest

from tests.clients.live import Live
from tests.simulator import Text, ToolUse, conversation

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "claude-haiku-5-5"


def png(width: int, height: int, grey: int) -> bytes:
    """A whole PNG of one grey: the CLI looks into images."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = (b"\0" + bytes([grey]) * width) * height
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


SMALL, OTHER, LARGE = (base64.b64encode(image).decode() for image in (png(2, 2, 7), png(3, 1, 99), png(1568, 1568, 5)))
GIF = base64.b64encode(
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
).decode()
PDF = base64.b64encode(
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
).decode()


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def block(data: str, media_type: str = "image/png") -> dict[str, Any]:
    """An image as the Messages API has it."""
    kind = "document" if media_type == "application/pdf" else "image"
    return {"type": kind, "source": {"type": "base64", "media_type": media_type, "data": data}}


def part(data: str, media_type: str = "image/png") -> dict[str, Any]:
    """An image as chat completions has it."""
    return {"type": "image_url", "image_url": {"url": f"data:{media_type};base64,{data}", "detail": "high"}}


async def test_images_of_a_chat_completion(server: Live) -> None:
    """In the history, and in the last turn: between texts, several at once, of several kinds, and a large one."""
    messages = [
        {"role": "user", "content": [text("first"), part(SMALL), part(OTHER)]},
        {"role": "assistant", "content": "seen"},
        {"role": "user", "content": [part(GIF, "image/gif"), text("between"), part(LARGE), text("last")]},
    ]
    await server.openai().chat.completions.create(model=MODEL, messages=messages)
    assert conversation(server.sent()) == [
        ("user", [text("first"), block(SMALL), block(OTHER)]),
        ("assistant", [text("seen")]),
        ("user", [block(GIF, "image/gif"), text("between"), block(LARGE), text("last")]),
    ]


@pytest.mark.parametrize("where", ["question", "history"])
async def test_an_image_that_the_cli_would_make_smaller(server: Live, where: str) -> None:
    large = base64.b64encode(png(3000, 2400, 5)).decode()
    messages: list[Any] = [{"role": "user", "content": [part(large), text("look")]}]
    if where == "history":
        messages += [{"role": "assistant", "content": "seen"}, {"role": "user", "content": "and now?"}]
    await server.openai().chat.completions.create(model=MODEL, messages=messages)
    assert conversation(server.sent())[0] == ("user", [block(large), text("look")])
    assert len(conversation(server.sent())) == len(messages)


async def test_an_image_and_its_conversation_goes_on(server: Live) -> None:
    messages: list[Any] = [{"role": "user", "content": [text("look"), part(SMALL)]}]
    client = server.openai()
    first = await client.chat.completions.create(model=MODEL, messages=messages)
    messages += [first.choices[0].message, {"role": "user", "content": [part(OTHER), text("and here")]}]
    await client.chat.completions.create(model=MODEL, messages=messages)
    assert conversation(server.sent()) == [
        ("user", [text("look"), block(SMALL)]),
        ("assistant", [text("You said: look")]),
        ("user", [block(OTHER), text("and here")]),
    ]


async def test_files_of_a_chat_completion(server: Live) -> None:
    file = {"filename": "paper.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}
    note = base64.b64encode("Grüße\n".encode()).decode()
    messages = [
        {"role": "user", "content": [{"type": "file", "file": file}, text("read")]},
        {"role": "assistant", "content": "done"},
        {"role": "user", "content": [{"type": "file", "file": {"file_data": f"data:text/plain;base64,{note}"}}]},
    ]
    server.simulator.script(Text("read"))
    await server.openai().chat.completions.create(model=MODEL, messages=messages)
    note_block = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Grüße\n"}}
    assert conversation(server.sent()) == [
        ("user", [{**block(PDF, "application/pdf"), "title": "paper.pdf"}, text("read")]),
        ("assistant", [text("done")]),
        ("user", [note_block]),
    ]


async def test_images_and_documents_of_a_messages_request(server: Live) -> None:
    document = {**block(PDF, "application/pdf"), "title": "paper", "context": "of last year"}
    plain = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}}
    messages = [
        {"role": "user", "content": [block(SMALL), document, text("first")]},
        {"role": "assistant", "content": "seen"},
        {"role": "user", "content": [plain, block(LARGE), text("last")]},
    ]
    await server.anthropic().messages.create(model=MODEL, max_tokens=100, messages=messages)
    assert conversation(server.sent()) == [
        ("user", [block(SMALL), document, text("first")]),
        ("assistant", [text("seen")]),
        ("user", [plain, block(LARGE), text("last")]),
    ]


async def test_an_image_in_a_tool_result(server: Live) -> None:
    tools = [{"name": "look", "description": "Looks.", "input_schema": {"type": "object", "properties": {}}}]
    server.simulator.script(ToolUse("look", id="toolu_1"))
    client = server.anthropic()
    messages: list[Any] = [{"role": "user", "content": "look"}]
    call = await client.messages.create(model=MODEL, max_tokens=100, messages=messages, tools=tools)
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [text("here"), block(LARGE)]}
    messages += [{"role": "assistant", "content": call.content}, {"role": "user", "content": [result]}]
    await client.messages.create(model=MODEL, max_tokens=100, messages=messages, tools=tools)
    assert conversation(server.sent())[-1] == ("user", [result])


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://example.com/cat.png", "fetch_images"),
        ("data:image/png;base64,AAAA", "no image"),
        ("data:image/png;base64,???", "base64"),
    ],
)
async def test_images_that_cannot_be_sent(server: Live, url: str, said: str) -> None:
    content = [{"type": "image_url", "image_url": {"url": url}}]
    with pytest.raises(openai.BadRequestError, match=said) as caught:
        await server.openai().chat.completions.create(model=MODEL, messages=[{"role": "user", "content": content}])
    assert caught.value.param == "messages[0].content[0].image_url.url"
    assert server.simulator.messages_calls == []
