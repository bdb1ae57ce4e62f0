"""Records of requests that a guard or the router refuses: equal ones share one record."""

import logging
from typing import Any

import pytest

from server.api.middleware.refusals import WINDOW_SECONDS
from server.core.events import RequestFinished, RequestUpdated
from tests.api.conftest import KEY, Serve, Served
from tests.scripted_backend import answer

BODY = {"model": "opus", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}
CHAT = "/v1/chat/completions"


async def listed(server: Served) -> list[dict[str, Any]]:
    """The recorded requests, oldest first, after pending counts are written."""
    server.services.refusals.flush_counts()
    items: list[dict[str, Any]] = (await server.http.get("/api/requests")).json()["items"]
    return items[::-1]


@pytest.mark.parametrize(
    ("method", "path", "headers", "content", "status"),
    [
        ("POST", CHAT, {"authorization": "Bearer wrong"}, b"{}", 401),
        ("GET", "/v1/models", {"authorization": ""}, b"", 401),
        ("POST", CHAT, {"host": "evil.example"}, b"{}", 403),
        ("POST", "/v1/messages", {"origin": "https://evil.example"}, b"{}", 403),
        ("OPTIONS", CHAT, {"origin": "https://evil.example"}, b"", 403),
        ("POST", "/v1/embeddings", {}, b"{}", 404),
        ("GET", "/v1/models/nothing", {}, b"", 404),
        ("GET", "/v1/files", {}, b"", 404),
        ("GET", "/v1/messages", {}, b"", 405),
        ("POST", CHAT, {}, b" " * 3000, 413),
        ("POST", "/v1/messages", {"content-encoding": "lzw"}, b"{}", 415),
        ("POST", CHAT, {"x-much": "x" * 3000}, b"{}", 431),
        ("POST", CHAT, {}, b"{", 400),
        ("POST", "/v1/messages/count_tokens", {}, b"{", 400),
    ],
)
async def test_each_refusal_is_listed(
    serve: Serve, method: str, path: str, headers: dict[str, str], content: bytes, status: int
) -> None:
    server = await serve(max_body_bytes=2000, max_header_bytes=2000)
    headers = {"user-agent": "Tester/1.0 (x)", **headers}
    response = await server.http.request(method, path, headers=headers, content=content)
    assert response.status_code == status
    [row] = await listed(server)
    assert (row["status"], row["http_status"], row["endpoint"], row["client"]) == ("error", status, path, "Tester/1.0")
    assert row["id"] == response.headers["x-request-id"]
    assert row["count"] == 1
    assert row["error"] == response.json()["error"]["message"]
    whole = (await server.http.get(f"/api/requests/{row['id']}")).json()
    assert ["user-agent", "Tester/1.0 (x)"] in whole["request_headers"]
    assert (whole["request_body"], whole["response_body"]) == (None, None)
    [finished] = [event for event in server.events if isinstance(event, RequestFinished)]
    assert finished.record.id == row["id"]


async def test_equal_bodies_that_are_no_json_are_counted(serve: Serve) -> None:
    server = await serve()
    for _ in range(3):
        assert (await server.http.post(CHAT, content=b"{")).status_code == 400
    assert [(row["http_status"], row["count"]) for row in await listed(server)] == [(400, 3)]


async def test_the_rate_limit(serve: Serve) -> None:
    server = await serve(rate_limit="1/hour")
    server.backend.script(answer("Hi"))
    for status in (200, 429, 429):
        assert (await server.http.post(CHAT, json=BODY)).status_code == status
    rows = await listed(server)
    assert [(row["http_status"], row["count"]) for row in rows] == [(200, 1), (429, 2)]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/health", 401),
        ("GET", "/api/requests", 401),
        ("DELETE", "/api/sessions/none", 401),
        ("GET", "/favicon.ico", 401),
    ],
)
async def test_what_is_no_clients_request(server: Served, method: str, path: str, status: int) -> None:
    response = await server.http.request(method, path, headers={"authorization": ""})
    assert response.status_code == status
    assert await listed(server) == []
    assert server.events == []


async def test_secrets_are_not_kept(server: Served) -> None:
    wrong = "sk-ant-api03-0123456789012345678901234567890123456789"
    await server.http.post(f"/v1/{wrong}", headers={"authorization": f"Bearer {wrong}", "api-key": wrong})
    [row] = await listed(server)
    whole = await server.http.get(f"/api/requests/{row['id']}")
    assert wrong not in whole.text
    assert KEY not in whole.text


async def test_equal_refusals_in_a_row_are_one(server: Served, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(50):
        await server.http.post(CHAT, headers={"authorization": "Bearer wrong"})
    [row] = await listed(server)
    assert row["count"] == 50
    assert len([line for line in caplog.messages if "refused" in line]) == 1
    changes = [event.record.count for event in server.events if isinstance(event, RequestUpdated)]
    assert changes[-1] == 50
    assert len(changes) < 10, "each refusal was published and written for itself"


async def test_the_count_is_published_and_kept_by_itself(server: Served) -> None:
    server.services.refusals.write_after = 0.01
    for _ in range(3):
        await server.http.post(CHAT, headers={"authorization": "Bearer wrong"})
    while not [event for event in server.events if isinstance(event, RequestUpdated) and event.record.count == 3]:
        await server.http.get("/health")
    [row] = (await server.http.get("/api/requests")).json()["items"]
    assert row["count"] == 3


@pytest.mark.parametrize(
    "other",
    [
        ("POST", CHAT, {"authorization": "Bearer wrong", "user-agent": "Other/2"}),
        ("POST", "/v1/messages", {"authorization": "Bearer wrong"}),
        ("GET", CHAT, {"authorization": "Bearer wrong"}),
        ("POST", CHAT, {"host": "evil.example"}),
    ],
)
async def test_refusals_of_another_kind_are_another_row(server: Served, other: tuple[str, str, dict[str, str]]) -> None:
    method, path, headers = other
    for _ in range(2):
        await server.http.post(CHAT, headers={"authorization": "Bearer wrong"})
    await server.http.request(method, path, headers=headers)
    await server.http.post(CHAT, headers={"authorization": "Bearer wrong"})
    assert [row["count"] for row in await listed(server)] == [2, 1, 1]


async def test_a_request_in_between_begins_another_row(server: Served) -> None:
    server.backend.script(answer("Hi"))
    for headers in ({"authorization": "Bearer wrong"}, {}, {"authorization": "Bearer wrong"}):
        await server.http.post(CHAT, headers=headers, json=BODY)
    assert [row["http_status"] for row in await listed(server)] == [401, 200, 401]


async def test_later_refusals_begin_another_row(server: Served) -> None:
    now = 1_700_000_000.0
    server.services.clock = lambda: now
    for seconds in (0.0, WINDOW_SECONDS - 1, WINDOW_SECONDS + 1, -5.0):
        server.services.clock = lambda moment=now + seconds: moment  # type: ignore[misc]
        await server.http.post(CHAT, headers={"authorization": "Bearer wrong"})
    assert sorted(row["count"] for row in await listed(server)) == [1, 1, 2]


async def test_a_flood_of_different_refusals_is_bounded(server: Served, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for number in range(100):
        await server.http.post(f"/v1/no/{number}", headers={"authorization": "", "user-agent": f"Client/{number}"})
    rows = await listed(server)
    assert sum(row["count"] for row in rows) == 100
    assert len(rows) == 31
    assert (rows[-1]["endpoint"], rows[-1]["client"], rows[-1]["count"]) == ("*", "*", 70)
    assert len([line for line in caplog.messages if "refused" in line]) == 31


async def test_who_has_no_key_does_not_overwrite_a_request(server: Served) -> None:
    server.backend.script(answer("Hi"))
    mine = {"x-request-id": "mine"}
    assert (await server.http.post(CHAT, json=BODY, headers=mine)).headers["x-request-id"] == "mine"
    refused = await server.http.post(CHAT, json=BODY, headers={**mine, "authorization": "Bearer wrong"})
    assert refused.headers["x-request-id"] == "mine"
    rows = {row["id"]: row["status"] for row in await listed(server)}
    assert len(rows) == 2
    assert rows["mine"] == "ok"


async def test_nothing_is_kept_without_history(serve: Serve) -> None:
    server = await serve(history=False)
    await server.http.post(CHAT, headers={"authorization": ""})
    assert await listed(server) == []
    assert [event.record.http_status for event in await server.finished()] == [401]


async def test_what_was_counted_is_written_when_the_server_stops(server: Served) -> None:
    written = []
    keep = server.services.store.record_request

    async def record_request(record: Any) -> None:
        written.append(record.count)
        await keep(record)

    server.services.store.record_request = record_request  # type: ignore[method-assign]
    for _ in range(3):
        await server.http.post(CHAT, headers={"authorization": ""})
    await server.server.stop()
    assert written[-1] == 3
