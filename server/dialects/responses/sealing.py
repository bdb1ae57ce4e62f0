"""Blocks that a client keeps for the server: sealed as `encrypted_content`, opened when they come back.

Seals are readable but cannot be forged: the API refuses thinking that was changed, and a summary speaks with the
weight of the conversation that it replaces. A seal is `dgm1.` and base64url of the JSON of the block, then its
HMAC-SHA256. Anything else, such as OpenAI's own encrypted content or a seal of another server's key, does not open.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from server.core import exact_json
from server.core.messages import Block

_VERSION = "dgm1"
_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "thinking": ("type", "thinking", "signature"),
    "redacted_thinking": ("type", "data"),
    "text": ("type", "text"),
}
"""The members that are sealed, by the block's type."""


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals and opens blocks with `key`, which is the server's own and outlives restarts."""

    key: bytes

    def seal(self, block: Block) -> str:
        """Seal a thinking, redacted_thinking or text block."""
        kept = {name: block.get(name, "") for name in _MEMBERS[block["type"]]}
        payload = _encode(exact_json.dumps(kept))
        return f"{_VERSION}.{payload}.{self._sign(payload)}"

    def open(self, sealed: str, *types: str) -> Block | None:
        """The block in `sealed`; None if it is damaged, of another key, or none of the `types`."""
        version, _, rest = sealed.partition(".")
        payload, _, signature = rest.partition(".")
        given, expected = signature.encode("utf-8", "surrogatepass"), self._sign(payload).encode()
        if version != _VERSION or not hmac.compare_digest(given, expected):
            return None
        block: Block = exact_json.loads(_decode(payload))
        return block if block["type"] in types else None

    def _sign(self, payload: str) -> str:
        signed = f"{_VERSION}.{payload}".encode("utf-8", "surrogatepass")
        return _encode(hmac.digest(self.key, signed, hashlib.sha256))


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return binascii.a2b_base64(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4))
