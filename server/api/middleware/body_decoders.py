"""Decoders of content codings, which decompress step by step and never more than asked for.

zstd's window is limited to the 8 MB that a server must support (RFC 9659), so that a body cannot claim more memory.
"""

import sys
import zlib
from collections.abc import Callable, Mapping
from typing import Protocol

import brotli  # type: ignore[import-untyped]

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

STEP_BYTES = 256 * 1024
"""The most that is decoded in one step; brotli exceeds it by at most one of its own buffers."""
ZSTD_WINDOW_LOG = 23
_GZIP = 16 + zlib.MAX_WBITS
_ZLIB = zlib.MAX_WBITS
_RAW_DEFLATE = -zlib.MAX_WBITS


class Damaged(ValueError):
    """The data is not what its coding says."""


class Decoder(Protocol):
    """Decodes one member of a coded body.

    `at_end`: the member is complete. `has_output`: more can be decoded without further data. `may_repeat`: another
    member may follow, which wants another decoder; otherwise this one refuses further data.
    """

    may_repeat: bool
    at_end: bool
    has_output: bool

    def decode_step(self, data: bytes) -> tuple[bytes, bytes]:
        """Decode up to `STEP_BYTES`, and return them with the unused rest of `data`. Raises Damaged."""
        ...


class _ZlibDecoder:
    may_repeat = True

    def __init__(self, window_bits: int) -> None:
        self._stream = zlib.decompressobj(window_bits)
        self.at_end = self.has_output = False

    def decode_step(self, data: bytes) -> tuple[bytes, bytes]:
        try:
            decoded = self._stream.decompress(data, STEP_BYTES)
        except zlib.error as error:
            raise Damaged(str(error)) from None
        self.at_end = self._stream.eof
        # zlib may have consumed all data and still hold output that did not fit into a full step.
        self.has_output = not self.at_end and len(decoded) == STEP_BYTES
        return decoded, self._stream.unused_data if self.at_end else self._stream.unconsumed_tail


class _ZstdDecoder:
    may_repeat = True

    def __init__(self) -> None:
        options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG}
        self._stream = zstd.ZstdDecompressor(options=options)
        self.at_end = self.has_output = False

    def decode_step(self, data: bytes) -> tuple[bytes, bytes]:
        try:
            decoded = self._stream.decompress(data, STEP_BYTES)
        except zstd.ZstdError as error:
            raise Damaged(str(error)) from None
        self.at_end = self._stream.eof
        self.has_output = not self.at_end and not self._stream.needs_input
        return decoded, self._stream.unused_data if self.at_end else b""


class _BrotliDecoder:
    may_repeat = False

    def __init__(self) -> None:
        self._stream = brotli.Decompressor()
        self.at_end = self.has_output = False

    def decode_step(self, data: bytes) -> tuple[bytes, bytes]:
        try:
            decoded: bytes = self._stream.process(data, output_buffer_limit=STEP_BYTES)
        except brotli.error as error:
            raise Damaged(str(error)) from None
        self.at_end = self._stream.is_finished()
        # The stream may have consumed all data and still hold output that did not fit into a full step.
        is_full = len(decoded) >= STEP_BYTES or not self._stream.can_accept_more_data()
        self.has_output = not self.at_end and is_full
        return decoded, b""


def _deflate_decoder(data: bytes) -> Decoder:
    """Many clients send deflate without the zlib header."""
    raw = data[0] & 0x0F != 8 or data[0] >> 4 > 7
    return _ZlibDecoder(_RAW_DEFLATE if raw else _ZLIB)


DECODERS: Mapping[str, Callable[[bytes], Decoder]] = {
    "gzip": lambda data: _ZlibDecoder(_GZIP),
    "x-gzip": lambda data: _ZlibDecoder(_GZIP),
    "deflate": _deflate_decoder,
    "zstd": lambda data: _ZstdDecoder(),
    "br": lambda data: _BrotliDecoder(),
}
"""Makes the decoder of a coding, given the first data of a member."""
