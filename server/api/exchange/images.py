"""Fetching of images given by URL, never from the local network."""

import asyncio
import base64
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import httpx2

from server.core.errors import InvalidRequest

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]

MAX_BYTES = 20_000_000
MAX_IMAGES = 20
MAX_REDIRECTS = 3
TIMEOUT_SECONDS = 20.0
_MEDIA_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "application/pdf"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_public(address: Address) -> bool:
    """Whether an address is on the public internet, also when embedded in IPv6."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast


async def resolve_host(host: str, port: int) -> list[str]:
    """Resolve a host name by the system's resolver. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


@dataclass(frozen=True, slots=True)
class _Target:
    url: str
    """Contains the checked address instead of the name, so no second lookup can lead elsewhere."""
    netloc: str
    """The Host header."""
    host: str
    """The name that the certificate must have."""


class ImageFetcher:
    """Fetches images over http and https into data URLs.

    Each address, including every redirect's, is resolved and checked once, and the connection goes to the checked
    address. Proxies from the environment are not used, because they would resolve the name again. Tests replace
    `allows` and `resolve`.
    """

    def __init__(
        self,
        *,
        allows: Callable[[Address], bool] = is_public,
        resolve: Resolve = resolve_host,
        max_bytes: int = MAX_BYTES,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._allows = allows
        self._resolve = resolve
        self._max_bytes = max_bytes
        self._timeout = timeout_seconds
        self._client: httpx2.AsyncClient | None = None

    async def fetch_images(self, addresses: Sequence[str]) -> dict[str, str]:
        """Fetch each address into a data URL. Raises InvalidRequest with the reason."""
        unique = list(dict.fromkeys(addresses))
        if len(unique) > MAX_IMAGES:
            raise InvalidRequest(f"The request has {len(unique)} images to fetch; the maximum is {MAX_IMAGES}.")
        fetched = await asyncio.gather(*(self._fetch_image(address) for address in unique), return_exceptions=True)
        for result in fetched:
            if isinstance(result, BaseException):
                raise result
        return {address: str(data_url) for address, data_url in zip(unique, fetched, strict=True)}

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _fetch_image(self, address: str) -> str:
        try:
            async with asyncio.timeout(self._timeout):
                return await self._follow_redirects(address)
        except InvalidRequest:
            raise
        except TimeoutError:
            raise _fetch_error(address, f"it took more than {self._timeout:g} seconds") from None
        except Exception as error:
            # Many parsers read the address and the response, each with its own errors: a label that is too long is a
            # UnicodeError of the system's resolver.
            raise _fetch_error(address, str(error) or type(error).__name__) from None

    async def _follow_redirects(self, address: str) -> str:
        url = address
        for _ in range(MAX_REDIRECTS + 1):
            target = await self._resolve_target(url, address)
            async with self._open_client().stream(
                "GET", target.url, headers={"host": target.netloc}, extensions={"sni_hostname": target.host}
            ) as response:
                if response.status_code not in _REDIRECTS:
                    return await self._read_image(response, address)
                url = str(httpx2.URL(url).join(response.headers.get("location", "")))
        raise _fetch_error(address, f"it redirects more than {MAX_REDIRECTS} times")

    async def _resolve_target(self, url: str, address: str) -> _Target:
        try:
            parts = httpx2.URL(url)
        except httpx2.InvalidURL:
            raise _fetch_error(address, "it is not a valid address") from None
        if parts.scheme not in ("http", "https") or not parts.host or parts.userinfo:
            raise _fetch_error(address, "only plain http and https addresses are fetched")
        # `raw_host` is in the form that DNS uses for letters beyond ASCII.
        host, port = parts.raw_host.decode(), parts.port or (443 if parts.scheme == "https" else 80)
        resolved = [ipaddress.ip_address(text.partition("%")[0]) for text in await self._resolve(host, port)]
        if not resolved or not all(self._allows(found) for found in resolved):
            raise _fetch_error(address, "it does not lead to the public internet")
        chosen = f"[{resolved[0]}]" if resolved[0].version == 6 else str(resolved[0])
        return _Target(f"{parts.scheme}://{chosen}:{port}{parts.raw_path.decode()}", parts.netloc.decode(), host)

    async def _read_image(self, response: httpx2.Response, address: str) -> str:
        if response.status_code != 200:
            raise _fetch_error(address, f"its server responded with status {response.status_code}")
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in _MEDIA_TYPES:
            raise _fetch_error(address, f"it is not an image of a supported type ({kind or 'no content type'})")
        data = bytearray()
        async for part in response.aiter_bytes():
            data += part
            if len(data) > self._max_bytes:
                raise _fetch_error(address, f"it is larger than {self._max_bytes:,} bytes")
        return f"data:{kind};base64,{base64.b64encode(data).decode()}"

    def _open_client(self) -> httpx2.AsyncClient:
        if self._client is None:
            self._client = httpx2.AsyncClient(trust_env=False, follow_redirects=False, timeout=self._timeout)
        return self._client


def _fetch_error(address: str, reason: str) -> InvalidRequest:
    shown = address if len(address) <= 200 else f"{address[:200]}..."
    return InvalidRequest(
        f"The image at {shown} could not be fetched: {reason}.", hint="Send the image as a data URL instead."
    )
