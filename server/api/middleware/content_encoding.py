"""Compressed request bodies (RFC 9110, 8.4)."""

import asyncio
import zlib
from collections.abc import Iterator

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.api.middleware.bodies import too_large_error
from server.core.errors import InvalidRequest, UnsupportedEncoding

PIECE_BYTES = 256 * 1024
"""The most that is decoded in one step."""
MAX_CODINGS = 4
_GZIP = 16 + zlib.MAX_WBITS
_ZLIB = zlib.MAX_WBITS
_RAW_DEFLATE = -zlib.MAX_WBITS
_SUPPORTED = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _ZLIB}


class ContentDecoding:
    """Decodes bodies while they arrive, for the inner layers.

    No coding may yield more than `limit` bytes, which stops decompression bombs. Raises UnsupportedEncoding for other
    encodings; the body's `receive` raises InvalidRequest for damaged data and BodyTooLarge.
    """

    def __init__(self, app: ASGIApp, *, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        codings = _parse_codings(scope) if scope["type"] == "http" else []
        if not codings:
            await self._app(scope, receive, send)
            return
        body = _DecodedBody(receive, [_Decoder(coding, self._limit) for coding in reversed(codings)])
        # These headers describe the encoded body, not the decoded one.
        kept = [line for line in scope["headers"] if line[0] not in (b"content-encoding", b"content-length")]
        await self._app({**scope, "headers": kept}, body.receive, send)


def _parse_codings(scope: Scope) -> list[str]:
    """The codings in the order of application. Raises UnsupportedEncoding."""
    values = [value.decode("latin-1") for name, value in scope["headers"] if name == b"content-encoding"]
    named = [name for value in values for part in value.split(",") if (name := part.strip().lower())]
    codings = [name for name in named if name != "identity"]
    unknown = next((name for name in codings if name not in _SUPPORTED), None)
    if unknown is not None or len(codings) > MAX_CODINGS:
        what = f"Content-Encoding {unknown[:40]!r}" if unknown else f"a body that was encoded {len(codings)} times"
        raise UnsupportedEncoding(
            f"This server does not support {what}.", hint="Send the body uncompressed, or with gzip or deflate."
        )
    return codings


class _DecodedBody:
    """The decoded ASGI messages of a body."""

    def __init__(self, receive: Receive, decoders: list["_Decoder"]) -> None:
        self._receive = receive
        self._decoders = decoders
        self._pieces: Iterator[bytes] = iter(())
        self._more = True

    async def receive(self) -> Message:
        while True:
            for piece in self._pieces:
                await asyncio.sleep(0)  # a large body must not delay the answers to other requests
                return {"type": "http.request", "body": piece, "more_body": True}
            if not self._more:
                self._more = True  # after the body only the disconnect follows
                return {"type": "http.request", "body": b"", "more_body": False}
            message = await self._receive()
            if message["type"] != "http.request":
                return message
            self._more = message.get("more_body", False)
            self._pieces = self._decode_pieces([message.get("body", b"")])

    def _decode_pieces(self, pieces: list[bytes]) -> Iterator[bytes]:
        stream: Iterator[bytes] = iter(pieces)
        for decoder in self._decoders:
            stream = decoder.decode_pieces(stream, last=not self._more)
        return stream


class _Decoder:
    """One coding of a body, which may consist of several members (RFC 1952, 2.2)."""

    def __init__(self, coding: str, limit: int) -> None:
        self._coding = coding
        self._limit = limit
        self._decoded_bytes = 0
        self._has_input = False
        self._stream: zlib._Decompress | None = None

    def decode_pieces(self, pieces: Iterator[bytes], *, last: bool) -> Iterator[bytes]:
        """Decode the pieces. Raises InvalidRequest for damaged or incomplete data."""
        for piece in pieces:
            rest, decoded = piece, b""
            # zlib may have consumed all data and still hold output that did not fit into a full piece.
            while rest or (self._stream is not None and len(decoded) == PIECE_BYTES):
                decoded, rest = self._decode_step(rest)
                if decoded:
                    yield decoded
        if last and (self._stream is not None or not self._has_input):
            raise self._invalid_data_error("it ends too early" if self._has_input else "it is empty")

    def _decode_step(self, data: bytes) -> tuple[bytes, bytes]:
        """Decode one piece; returns it with the rest of the data."""
        if self._stream is None:
            self._stream = zlib.decompressobj(self._window_bits(data))
            self._has_input = True
        try:
            decoded = self._stream.decompress(data, PIECE_BYTES)
        except zlib.error as error:
            raise self._invalid_data_error(str(error)) from None
        self._decoded_bytes += len(decoded)
        if self._decoded_bytes > self._limit:
            raise too_large_error(f"more than {self._limit:,} bytes when it is decoded", self._limit)
        if not self._stream.eof:
            return decoded, self._stream.unconsumed_tail
        rest, self._stream = self._stream.unused_data, None
        return decoded, rest

    def _window_bits(self, data: bytes) -> int:
        """zlib's window bits. Many clients send deflate without the zlib header."""
        raw = self._coding == "deflate" and (data[0] & 0x0F != 8 or data[0] >> 4 > 7)
        return _RAW_DEFLATE if raw else _SUPPORTED[self._coding]

    def _invalid_data_error(self, reason: str) -> InvalidRequest:
        return InvalidRequest(
            f"The body is not valid {self._coding}: {reason}.",
            hint="Send it again, or leave out Content-Encoding if it is not encoded.",
        )
