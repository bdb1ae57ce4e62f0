"""Answers are read whole however they are cut on their way, and are not taken for whole when they are not."""

import time

import orjson
import pytest

from tests.tools.bench.answers import CHAT_COMPLETIONS, CLI, MESSAGES, RESPONSES, NotAnswered, read_answer
from tests.tools.bench.clients import checked


def sse(*values):
    return b"".join(b"data: " + orjson.dumps(value) + b"\n\n" for value in values)


def delta(text):
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}


def chunk(text):
    return {"choices": [{"index": 0, "delta": {"content": text}}]}


def output_text(text):
    return {"type": "response.output_text.delta", "delta": text}


CREATED = {"type": "response.created", "response": {"id": "resp_1"}}
COMPLETED = {"type": "response.completed", "response": {"id": "resp_1"}}
STOP = {"type": "message_stop"}
STREAMS = {
    "messages": (MESSAGES, b"HTTP/1.1 200 OK\r\n\r\n3a\r\n" + sse(delta("A "), delta("word"), STOP)),
    "chat completions": (CHAT_COMPLETIONS, sse(chunk(""), chunk("A "), chunk("word")) + b"data: [DONE]\n\n"),
    "responses": (RESPONSES, sse(CREATED, output_text("A "), output_text("word"), COMPLETED) + b"\r\n0\r\n\r\n"),
    "CLI": (CLI, b"".join(orjson.dumps({"event": event}) + b"\n" for event in (delta("A "), delta("word"), STOP))),
}


def reader(data, size):
    """Gives `data` in pieces of `size` bytes, and then its end."""
    pieces = [data[start : start + size] for start in range(0, len(data), size)]

    async def read(_):
        return pieces.pop(0) if pieces else b""

    return read


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("name", STREAMS)
async def test_an_answer_is_whole_however_it_is_cut(name, size):
    format_, stream = STREAMS[name]
    answer = await read_answer(reader(stream, size), format_, time.perf_counter())
    assert answer.text == "A word"
    assert 0 < answer.first_delta <= answer.whole
    assert answer.id == ("resp_1" if format_ is RESPONSES else "")


@pytest.mark.parametrize("name", STREAMS)
async def test_a_stream_without_its_end_is_no_answer(name):
    format_, stream = STREAMS[name]
    with pytest.raises(NotAnswered, match="ended early"):
        await read_answer(reader(stream.rpartition(b"word")[0], 50), format_, time.perf_counter())


@pytest.mark.parametrize("name", STREAMS)
async def test_a_stream_without_words_is_no_answer(name):
    format_, _ = STREAMS[name]
    with pytest.raises(NotAnswered, match="without words"):
        await read_answer(reader(format_.end, 50), format_, time.perf_counter())


async def test_an_answer_to_something_else_is_no_answer():
    async def ask(_):
        format_, stream = STREAMS["CLI"]
        return await read_answer(reader(stream, 50), format_, time.perf_counter())

    with pytest.raises(NotAnswered, match="asked 'Hello', and got 'A word'"):
        await checked(ask, "Hello")
