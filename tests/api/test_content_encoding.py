"""Compressed bodies, including damaged ones and decompression bombs."""

import gzip
import random
import zlib
from collections.abc import AsyncIterator, Callable

import brotli
import orjson
import pytest

from server.api.middleware.body_decoders import STEP_BYTES, zstd
from tests.api.conftest import Serve, Served
from tests.scripted_backend import answer

PATHS = ["/v1/chat/completions", "/v1/messages", "/v1/messages/count_tokens"]
WORDS = "Hello " + "x" * (STEP_BYTES - 100) + random.Random(7).randbytes(300_000).hex()
BODY = orjson.dumps({"model": "opus", "max_tokens": 9, "messages": [{"role": "user", "content": WORDS}]})


def zipped(data: bytes, level: int = 9) -> bytes:
    """Compress without a time stamp, so that parametrized tests have the same names in each process."""
    return gzip.compress(data, level, mtime=0)


def raw_deflate(data: bytes) -> bytes:
    encoder = zlib.compressobj(wbits=-15)
    return encoder.compress(data) + encoder.flush()


def members(data: bytes) -> bytes:
    return zipped(data[:1000]) + zipped(b"") + zipped(data[1000:])


def frames(data: bytes) -> bytes:
    return zstd.compress(data[:1000]) + zstd.compress(b"") + zstd.compress(data[1000:])


ENCODED: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", zipped),
    ("GZip", zipped),
    ("x-gzip", members),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("zstd", zstd.compress),
    ("zstd", frames),
    ("br", brotli.compress),
    ("BR, zstd", lambda data: zstd.compress(brotli.compress(data))),
    ("identity", bytes),
    ("", bytes),
    ("identity, gzip,, identity", zipped),
    ("deflate, gzip", lambda data: zipped(zlib.compress(data))),
    ("gzip, gzip, deflate", lambda data: raw_deflate(zipped(zipped(data)))),
]


async def parts_of(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.mark.parametrize(("coding", "encode"), ENCODED)
@pytest.mark.parametrize("size", [None, 997])
async def test_what_was_encoded_arrives(
    server: Served, coding: str, encode: Callable[[bytes], bytes], size: int | None
) -> None:
    server.backend.script(answer("Hi"))
    data = encode(BODY)
    content = data if size is None else parts_of(data, size)
    response = await server.http.post(PATHS[1], content=content, headers={"content-encoding": coding})
    assert response.status_code == 200, response.text
    [request] = server.backend.requests
    assert request.messages[0]["content"][0]["text"] == WORDS
    [ended] = await server.finished()
    kept = dict(ended.record.request_headers or ())
    # The record contains the decoded body, so its headers must not declare an encoding.
    assert kept.get("content-encoding", "identity") in ("identity", "")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("coding", ["lzma", "gzip, lzma", "compress", "nonsense", "gzip;q=1", "gzip" + ", gzip" * 9])
async def test_other_encodings_are_named(server: Served, path: str, coding: str) -> None:
    response = await server.http.post(path, content=b"....", headers={"content-encoding": coding})
    assert response.status_code == 415
    message = response.json()["error"]["message"]
    assert ("10 times" if len(coding) > 40 else coding.removeprefix("gzip, ")) in message
    assert "gzip, deflate, zstd or br" in message
    assert response.headers["accept-encoding"] == "gzip, deflate, zstd, br"


@pytest.mark.parametrize(
    ("coding", "data", "said"),
    [
        ("gzip", BODY, "not valid gzip"),
        ("deflate", BODY, "not valid deflate"),
        ("gzip", zipped(BODY)[:-20], "ends too early"),
        ("deflate", zlib.compress(BODY)[:-1], "ends too early"),
        ("deflate", raw_deflate(BODY)[:-1], "ends too early"),
        ("gzip", b"", "it is empty"),
        ("gzip", zipped(BODY) + b"rest", "not valid gzip"),
        ("gzip", zipped(BODY)[:-8] + b"12345678", "not valid gzip"),
        ("gzip, deflate", zlib.compress(BODY), "not valid gzip"),
        ("zstd", BODY, "not valid zstd"),
        ("zstd", zstd.compress(BODY)[:-1], "ends too early"),
        ("zstd", b"", "it is empty"),
        ("zstd", zstd.compress(BODY) + b"rest", "not valid zstd"),
        ("br", BODY, "not valid br"),
        ("br", brotli.compress(BODY)[:-1], "ends too early"),
        ("br", b"", "it is empty"),
        ("br", brotli.compress(BODY) + b"rest", "not valid br"),
        ("gzip", zipped(b"{"), "not valid JSON"),
        ("gzip", zipped(b""), "has no body"),
    ],
)
@pytest.mark.parametrize("path", PATHS[:2])
async def test_damaged_bodies(server: Served, path: str, coding: str, data: bytes, said: str) -> None:
    response = await server.http.post(path, content=data, headers={"content-encoding": coding})
    assert response.status_code == 400
    assert said in response.json()["error"]["message"]


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(("coding", "encode"), [("gzip", zipped), ("zstd", zstd.compress), ("br", brotli.compress)])
async def test_a_bomb_is_stopped_at_the_limit(
    serve: Serve, coding: str, encode: Callable[[bytes], bytes], layers: int
) -> None:
    server = await serve(max_body_bytes=1_000_000)
    bomb = BODY + b" " * 100_000_000
    for _ in range(layers):
        bomb = encode(bomb)
    assert len(bomb) < 1_000_000
    headers = {"content-encoding": ", ".join([coding] * layers)}
    response = await server.http.post(PATHS[0], content=bomb, headers=headers)
    assert response.status_code == 413
    assert "when it is decoded" in response.json()["error"]["message"]


async def test_a_brotli_body_in_two_streams_is_damaged_wherever_it_is_cut(server: Served) -> None:
    data = brotli.compress(BODY)
    for size in (len(data), 997):
        body = parts_of(data + data, size)
        response = await server.http.post(PATHS[0], content=body, headers={"content-encoding": "br"})
        assert response.status_code == 400
        assert "not valid br" in response.json()["error"]["message"]


async def test_a_window_that_would_take_the_memory_is_refused(server: Served) -> None:
    encoder = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 27})
    data = encoder.compress(BODY) + encoder.flush()
    response = await server.http.post(PATHS[0], content=data, headers={"content-encoding": "zstd"})
    assert response.status_code == 400
    assert "too much memory" in response.json()["error"]["message"]


async def test_encoded_bytes_that_decode_to_nothing_count_too(serve: Serve) -> None:
    server = await serve(max_body_bytes=10_000)
    empty = parts_of(zipped(b"") * 1000, 100)
    response = await server.http.post(PATHS[0], content=empty, headers={"content-encoding": "gzip"})
    assert response.status_code == 413
