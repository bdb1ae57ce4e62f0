"""The one request for the list of releases. It says nothing about the user, the computer or this version."""

import asyncio
import ssl
import time
from contextlib import AsyncExitStack

import httpx2

from server.core.errors import DragomanError
from tray_app.formatting import time_until
from tray_app.translation import tr
from tray_app.updates.feed import ReleaseFeed
from tray_app.updates.releases import Release, parse_releases

TIMEOUT_SECONDS = 20.0
MAX_BYTES = 2_000_000
MAX_REDIRECTS = 3
HEADERS = {
    "user-agent": "Dragoman",
    "accept": "application/vnd.github+json",
    # Compressed content could be far larger than what arrives.
    "accept-encoding": "identity",
}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class UpdateCheckFailed(DragomanError):
    """The list of releases could not be read."""


async def fetch_releases(feed: ReleaseFeed, *, timeout_seconds: float = TIMEOUT_SECONDS) -> list[Release]:
    """Fetch the list of releases. Proxies of the environment are used. Raises UpdateCheckFailed."""
    try:
        async with asyncio.timeout(timeout_seconds), AsyncExitStack() as stack:
            client = await stack.enter_async_context(await _make_client(timeout_seconds))
            body = await _read_body(client, feed)
        return parse_releases(body)
    except (TimeoutError, httpx2.TimeoutException):
        raise UpdateCheckFailed(
            tr("{host} did not answer in time.").format(host=feed.host),
            hint=tr("Check the network connection, or try again later."),
        ) from None
    except httpx2.HTTPError as error:
        raise _transport_error(error, feed) from error
    except (ValueError, httpx2.InvalidURL) as error:
        raise UpdateCheckFailed(
            tr("The answer from {host} is not a list of releases.").format(host=feed.host),
            hint=tr("A sign-in page of your network may have answered instead. Open the release page to see."),
        ) from error


async def _make_client(timeout_seconds: float) -> httpx2.AsyncClient:
    """Create the client in a thread, because loading certificates is slow."""
    try:
        return await asyncio.to_thread(httpx2.AsyncClient, headers=HEADERS, timeout=timeout_seconds)
    except (ValueError, ImportError, OSError, httpx2.InvalidURL) as error:
        # A proxy of an unknown kind, one that needs a package, or a certificate file that is missing.
        raise UpdateCheckFailed(
            tr("The proxy or certificate set in the environment cannot be used: {reason}").format(reason=error),
            hint=tr("Correct HTTPS_PROXY, ALL_PROXY or SSL_CERT_FILE, and start Dragoman again."),
        ) from error


async def _read_body(client: httpx2.AsyncClient, feed: ReleaseFeed) -> bytes:
    """Read the list, following redirects within the same server only: projects move there when they are renamed."""
    url = httpx2.URL(feed.url)
    for _ in range(MAX_REDIRECTS + 1):
        async with client.stream("GET", url, follow_redirects=False) as response:
            if response.status_code == 200:
                return await _read_limited(response, feed)
            if response.status_code not in _REDIRECTS:
                raise _status_error(response, feed)
            target = url.join(response.headers.get("location", ""))
        if (target.scheme, target.host, target.port) != (url.scheme, url.host, url.port):
            raise UpdateCheckFailed(
                tr("{host} sends the request on to {other}, which is not asked.").format(
                    host=feed.host, other=target.host
                ),
                hint=tr("Open the release page: the project may have moved."),
            )
        url = target
    raise UpdateCheckFailed(
        tr("{host} sends the request on without end.").format(host=feed.host),
        hint=tr("Try again later, or open the release page."),
    )


async def _read_limited(response: httpx2.Response, feed: ReleaseFeed) -> bytes:
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > MAX_BYTES:
            raise UpdateCheckFailed(
                tr("The answer from {host} is too large for a list of releases.").format(host=feed.host),
                hint=tr("Open the release page instead."),
            )
    return bytes(body)


def _status_error(response: httpx2.Response, feed: ReleaseFeed) -> UpdateCheckFailed:
    status = response.status_code
    if status == 429 or (status == 403 and "x-ratelimit-reset" in response.headers):
        return UpdateCheckFailed(
            tr("{host} answers no more requests from your network for now.").format(host=feed.host),
            hint=tr("Try again {when}.").format(when=_limit_ends(response)),
        )
    if status in (404, 410):
        return UpdateCheckFailed(
            tr("{host} knows no releases of this project.").format(host=feed.host),
            hint=tr("Open the release page: the project may have moved."),
        )
    if status == 407:
        return _proxy_login_error()
    if status >= 500:
        return UpdateCheckFailed(
            tr("{host} has a problem of its own (status {status}).").format(host=feed.host, status=status),
            hint=tr("Try again later."),
        )
    return UpdateCheckFailed(
        tr("{host} refused the request (status {status}).").format(host=feed.host, status=status),
        hint=tr("Open the release page instead."),
    )


def _limit_ends(response: httpx2.Response) -> str:
    """When requests are answered again: "in 12 min"."""
    now = time.time()
    try:
        ends = float(response.headers["x-ratelimit-reset"])
    except (KeyError, ValueError):
        try:
            ends = now + float(response.headers["retry-after"])
        except (KeyError, ValueError):
            return tr("later")
    return time_until(ends, now) if now < ends < now + 86_400 else tr("later")


def _transport_error(error: httpx2.HTTPError, feed: ReleaseFeed) -> UpdateCheckFailed:
    if _is_caused_by(error, ssl.SSLCertVerificationError):
        return UpdateCheckFailed(
            tr("The certificate of {host} could not be verified.").format(host=feed.host),
            hint=tr("Check the computer's date. If a proxy reads your traffic, name its certificate in SSL_CERT_FILE."),
        )
    if isinstance(error, httpx2.ProxyError) and str(error).startswith("407"):
        return _proxy_login_error()
    if isinstance(error, httpx2.ProxyError):
        return UpdateCheckFailed(
            tr("The proxy set in the environment did not connect to {host}.").format(host=feed.host),
            hint=tr("Check HTTPS_PROXY, then try again."),
        )
    if isinstance(error, httpx2.ConnectError):
        return UpdateCheckFailed(
            tr("{host} cannot be reached.").format(host=feed.host),
            hint=tr("Check the network connection and proxy, then try again."),
        )
    return UpdateCheckFailed(tr("The connection to {host} was cut.").format(host=feed.host), hint=tr("Try again."))


def _proxy_login_error() -> UpdateCheckFailed:
    return UpdateCheckFailed(
        tr("Your network's proxy wants a user name and password."),
        hint=tr("Put them into HTTPS_PROXY, and start Dragoman again."),
    )


def _is_caused_by(error: BaseException, kind: type[BaseException]) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, kind):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
