"""Fetching of images from allowed and forbidden addresses."""

import base64
import ipaddress
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from server.api.exchange.images import Address, ImageFetcher, is_public
from server.core.errors import InvalidRequest
from tests.api.conftest import Serve, Served
from tests.scripted_backend import answer

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
DATA_URL = f"data:image/png;base64,{base64.b64encode(PIXEL).decode()}"


def here(address: Address) -> bool:
    return str(address) == "127.0.0.1"


class Site:
    """A web site with images, on its own socket."""

    def __init__(self) -> None:
        self.hosts: list[str] = []

    async def image(self, request: Request) -> Response:
        self.hosts.append(request.headers["host"])
        return Response(PIXEL, media_type="image/png")

    async def page(self, request: Request) -> Response:
        return Response("<html>", media_type="text/html")

    async def large(self, request: Request) -> Response:
        async def parts() -> AsyncIterator[bytes]:
            for _ in range(200):
                yield bytes(1000)

        return StreamingResponse(parts(), media_type="image/png")

    async def redirect(self, request: Request) -> Response:
        return RedirectResponse(request.query_params["to"])

    async def round(self, request: Request) -> Response:
        return RedirectResponse("/round")


@pytest.fixture
async def site() -> AsyncIterator[tuple[Site, str]]:
    site = Site()
    names = ("image", "page", "large", "redirect", "round")
    app = Starlette(routes=[Route(f"/{name}", getattr(site, name)) for name in names])
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, lifespan="off", access_log=False)
    config.load()
    running = uvicorn.Server(config)
    running.lifespan = config.lifespan_class(config)
    await running.startup([listener])
    yield site, f"http://127.0.0.1:{listener.getsockname()[1]}"
    await running.shutdown([listener])


@pytest.fixture
async def fetcher() -> AsyncIterator[ImageFetcher]:
    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"] if host in ("127.0.0.1", "images.example") else [host]

    fetcher = ImageFetcher(allows=here, resolve=resolve, max_bytes=100_000)
    yield fetcher
    await fetcher.close()


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_public_addresses(address: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is public


async def test_fetching(fetcher: ImageFetcher, site: tuple[Site, str]) -> None:
    _, url = site
    addresses = [f"{url}/image", f"{url}/redirect?to=/image", f"{url}/image"]
    assert await fetcher.fetch_images(addresses) == dict.fromkeys(addresses, DATA_URL)


async def test_the_site_is_asked_by_its_name_at_the_checked_address(
    fetcher: ImageFetcher, site: tuple[Site, str]
) -> None:
    images, url = site
    port = url.rpartition(":")[2]
    await fetcher.fetch_images([f"http://images.example:{port}/image"])
    assert images.hosts == [f"images.example:{port}"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/page", "text/html"),
        ("/nothing", "404"),
        ("/large", "100,000 bytes"),
        ("/round", "redirects more than 3 times"),
        ("/redirect?to=http://127.0.0.2/image", "public internet"),
        ("/redirect?to=http://169.254.169.254/latest", "public internet"),
        ("/redirect?to=file:///etc/passwd", "only plain http"),
    ],
)
async def test_what_is_not_fetched(fetcher: ImageFetcher, site: tuple[Site, str], path: str, reason: str) -> None:
    with pytest.raises(InvalidRequest, match=reason):
        await fetcher.fetch_images([site[1] + path])


@pytest.mark.parametrize(
    "address",
    [
        "http://[::1]/x.png",
        "http://10.0.0.1/x.png",
        "ftp://127.0.0.1/x.png",
        "http://user@127.0.0.1/x.png",
        "http://127.0.0.1:99999/x.png",
        "http:///x.png",
        "http://[::1/x.png",
        "http://[nonsense]/x.png",
        "http://127.0.0.1:port/x.png",
        "http://127.0.0.1\0/x.png",
        "http://\ud800/x.png",
        "http://127.0.0.1/\ud800",
        "http://xn--\u00fc/x.png",
        "http://" + "x" * 70_000,
    ],
)
async def test_addresses_that_are_refused(fetcher: ImageFetcher, address: str) -> None:
    with pytest.raises(InvalidRequest):
        await fetcher.fetch_images([address])


async def test_names_with_one_address_inside_are_refused(site: tuple[Site, str]) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1", "10.0.0.1"]

    with pytest.raises(InvalidRequest, match="public internet"):
        await ImageFetcher(allows=here, resolve=resolve).fetch_images([f"{site[1]}/image"])


async def test_an_unknown_host_name() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        raise OSError("Name or service not known")

    with pytest.raises(InvalidRequest, match="not known"):
        await ImageFetcher(resolve=resolve).fetch_images(["http://images.example/x.png"])


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "a..example", ".", "a" * 300])
async def test_an_invalid_host_name(host: str) -> None:
    """The system's resolver rejects these names with errors of its own, without a lookup."""
    with pytest.raises(InvalidRequest, match="could not be fetched"):
        await ImageFetcher().fetch_images([f"http://{host}/x.png"])


async def test_a_name_with_letters_beyond_ascii(site: tuple[Site, str]) -> None:
    asked = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    fetcher = ImageFetcher(allows=here, resolve=resolve)
    port = site[1].rpartition(":")[2]
    await fetcher.fetch_images([f"http://b\u00fccher.example:{port}/image?\u00fc"])
    await fetcher.close()
    assert asked == ["xn--bcher-kva.example"]
    assert site[0].hosts == [f"xn--bcher-kva.example:{port}"]


async def test_a_redirect_to_nonsense(fetcher: ImageFetcher, site: tuple[Site, str]) -> None:
    for to in ("http://[", "http://a:b:c", "%00", ""):
        with pytest.raises(InvalidRequest, match="could not be fetched"):
            await fetcher.fetch_images([f"{site[1]}/redirect?to={to}"])


async def test_too_many(fetcher: ImageFetcher) -> None:
    with pytest.raises(InvalidRequest, match="21 images"):
        await fetcher.fetch_images([f"http://127.0.0.1/{number}" for number in range(21)])


@pytest.mark.parametrize("dialect", ["openai", "anthropic", "responses", "responses' files"])
async def test_in_a_request(serve: Serve, fetcher: ImageFetcher, site: tuple[Site, str], dialect: str) -> None:
    server = await serve(images=fetcher)
    server.backend.script(answer("A pixel"))
    await _show(server, dialect, f"{site[1]}/image")
    [message] = server.backend.requests[0].messages
    assert message["content"][0]["source"] == {
        "type": "base64",
        "media_type": "image/png",
        "data": DATA_URL.partition(",")[2],
    }


@pytest.mark.parametrize("dialect", ["openai", "anthropic", "responses", "responses' files"])
async def test_not_unless_it_is_switched_on(server: Served, site: tuple[Site, str], dialect: str) -> None:
    assert await _show(server, dialect, f"{site[1]}/image") == 400
    assert site[0].hosts == []


async def _show(server: Served, dialect: str, url: str) -> int:
    image: dict[str, Any] = {
        "openai": {"type": "image_url", "image_url": {"url": url}},
        "anthropic": {"type": "image", "source": {"type": "url", "url": url}},
        "responses": {"type": "input_image", "image_url": url},
        "responses' files": {"type": "input_file", "file_url": url},
    }[dialect]
    turns = [{"role": "user", "content": [image]}]
    if dialect.startswith("responses"):
        return (await server.http.post("/v1/responses", json={"model": "opus", "input": turns})).status_code
    body = {"model": "opus", "max_tokens": 9, "messages": turns}
    path = "/v1/chat/completions" if dialect == "openai" else "/v1/messages"
    return (await server.http.post(path, json=body)).status_code
