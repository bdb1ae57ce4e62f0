"""Complete answers while the history cannot be written."""

import logging

import pytest

from server.core.events import Notice, NoticeCleared
from tests.api.conftest import Served
from tests.scripted_backend import answer as answer_events
from tests.waiting import until

BODY = {"model": "default", "messages": [{"role": "user", "content": "Hello"}]}


async def bound_pages(server: Served, pages: int | None) -> None:
    """Limit the database's size like a full disk; None limits it to its current size."""

    def bound(connection) -> None:
        count = pages or connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {count}").fetchall()

    await server.services.store._threads.submit_job(bound)


async def test_an_answer_on_a_full_disk_is_whole_and_has_ended(
    server: Served, caplog: pytest.LogCaptureFixture
) -> None:
    await bound_pages(server, None)
    text = "word " * 50_000
    server.backend.script(answer_events(text))
    with caplog.at_level(logging.WARNING):
        answer = await server.http.post("/v1/chat/completions", json=BODY)
        assert answer.json()["choices"][0]["message"]["content"] == text
        await until(lambda: any(isinstance(event, Notice) for event in server.events))
        await server.services.writes.wait_for_writes()
    assert not [record for record in caplog.records if record.exc_info], "a full disk is no bug"
    await bound_pages(server, 2**30)
    await until(lambda: any(isinstance(event, NoticeCleared) for event in server.events))
    (request,) = (await server.http.get("/api/requests")).json()["items"]
    assert request["status"] == "ok"
    (session,) = (await server.http.get("/api/sessions")).json()["items"]
    named = (await server.http.get(f"/api/sessions/{answer.headers['x-session-id']}")).json()
    assert named["summary"] == session
