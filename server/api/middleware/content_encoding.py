"""Compressed request bodies (RFC 9110, 8.4)."""

import asyncio
from collections.abc import Iterator

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.api.middleware.bodies import too_large_error
from server.api.middleware.body_decoders import DECODERS, Damaged, Decoder
from server.core.errors import InvalidRequest, UnsupportedEncoding

MAX_CODINGS = 4
SUPPORTED = "gzip, deflate, zstd or br"


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
        body = _DecodedBody(receive, [_Coding(coding, self._limit) for coding in reversed(codings)])
        # These headers describe the encoded body, not the decoded one.
        kept = [line for line in scope["headers"] if line[0] not in (b"content-encoding", b"content-length")]
        await self._app({**scope, "headers": kept}, body.receive, send)


def _parse_codings(scope: Scope) -> list[str]:
    """The codings in the order of application. Raises UnsupportedEncoding."""
    values = [value.decode("latin-1") for name, value in scope["headers"] if name == b"content-encoding"]
    named = [name for value in values for part in value.split(",") if (name := part.strip().lower())]
    codings = [name for name in named if name != "identity"]
    unknown = next((name for name in codings if name not in DECODERS), None)
    if unknown is not None or len(codings) > MAX_CODINGS:
        what = f"Content-Encoding {unknown[:40]!r}" if unknown else f"a body that was encoded {len(codings)} times"
        raise UnsupportedEncoding(
            f"This server does not support {what}.", hint=f"Send the body uncompressed, or with {SUPPORTED}."
        )
    return codings


class _DecodedBody:
    """The decoded ASGI messages of a body."""

    def __init__(self, receive: Receive, decoders: list["_Coding"]) -> None:
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


class _Coding:
    """One coding of a body, which may consist of several members (RFC 1952, 2.2; RFC 8878, 3.1)."""

    def __init__(self, name: str, limit: int) -> None:
        self._name = name
        self._limit = limit
        self._decoded_bytes = 0
        self._decoder: Decoder | None = None
        self._is_complete = False

    def decode_pieces(self, pieces: Iterator[bytes], *, last: bool) -> Iterator[bytes]:
        """Decode the pieces. Raises InvalidRequest for damaged or incomplete data."""
        for piece in pieces:
            rest = piece
            while rest or (self._decoder is not None and self._decoder.has_output):
                decoded, rest = self._decode_step(rest)
                if decoded:
                    yield decoded
        if last and not self._is_complete:
            raise self._invalid_data_error("it is empty" if self._decoder is None else "it ends too early")

    def _decode_step(self, data: bytes) -> tuple[bytes, bytes]:
        """Decode one step; returns it with the rest of the data."""
        if self._decoder is None or (self._decoder.at_end and self._decoder.may_repeat):
            self._decoder = DECODERS[self._name](data)
        try:
            decoded, rest = self._decoder.decode_step(data)
        except Damaged as error:
            raise self._invalid_data_error(str(error)) from None
        self._decoded_bytes += len(decoded)
        if self._decoded_bytes > self._limit:
            raise too_large_error(f"more than {self._limit:,} bytes when it is decoded", self._limit)
        self._is_complete = self._decoder.at_end
        return decoded, rest

    def _invalid_data_error(self, reason: str) -> InvalidRequest:
        return InvalidRequest(
            f"The body is not valid {self._name}: {reason}.",
            hint="Send it again, or leave out Content-Encoding if it is not encoded.",
        )
