"""The details pane of a request."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtGui import QGuiApplication

from server.core.records import RequestRecord
from tests.tray_app.models.request_records import record
from tests.tray_app.pages.requests.conftest import Wait
from tests.tray_app.pages.requests.fact_pairs import shown_pairs
from tests.waiting import until
from tray_app.context import Context
from tray_app.models.requests.detail import MAX_CHARACTERS
from tray_app.pages.requests import RequestsPage
from tray_app.pages.requests.detail import DetailPane

HEADERS = (("content-type", "application/json"), ("user-agent", "Continue/1.2"))


@pytest.fixture
def detail(page: RequestsPage) -> DetailPane:
    return page.detail


async def show(page: RequestsPage, context: Context, shown: RequestRecord) -> None:
    """Store the request and select it."""
    assert context.store is not None
    await context.store.record_request(shown)
    page.log.receive_records([shown])
    assert page.table.select_request(shown.id)
    await until(lambda: page.detail.loading is None)


async def test_headers_and_bodies_are_read_and_laid_out(
    page: RequestsPage, context: Context, detail: DetailPane
) -> None:
    logged = replace(record(1), request_headers=HEADERS, request_body='{"a":1}', response_body='{"b":[2]}')
    await show(page, context, logged)
    assert detail.headers.full_text == "content-type: application/json\nuser-agent: Continue/1.2"
    assert detail.request_body.view.text() == '{\n  "a": 1\n}'
    assert detail.response_body.view.text() == '{\n  "b": [\n    2\n  ]\n}'
    assert ("Client", "Continue/1.2") in shown_pairs(detail.facts)
    assert ("Duration", "2.0 s") in shown_pairs(detail.times)
    assert ("Tokens in", "1,200") in shown_pairs(detail.tokens)
    assert detail.bar.isVisible()


async def test_a_large_body_is_cut_with_a_note_and_copied_whole(
    page: RequestsPage, context: Context, detail: DetailPane
) -> None:
    text = json.dumps({"lines": ["x" * 100] * 20_000})
    await show(page, context, replace(record(1), request_body=text))
    part = detail.request_body
    assert len(part.view.text()) <= MAX_CHARACTERS
    assert (part.note.isVisible(), part.copy_whole.isVisible()) == (True, True)
    part.copy_whole.click()
    assert json.loads(QGuiApplication.clipboard().text()) == json.loads(text)


async def test_body_logging_is_offered_where_it_is_off(
    page: RequestsPage, context: Context, detail: DetailPane
) -> None:
    await show(page, context, record(1))
    part = detail.request_body
    assert (part.note.text(), part.remedy.text()) == ("Prompts and answers are not recorded.", "Turn on body logging")
    part.remedy.click()
    await until(lambda: context.settings.log_bodies)
    await until(lambda: "from now on" in part.note.text())
    assert not part.remedy.isVisible()


async def test_an_error_says_what_to_do_and_leads_there(
    page: RequestsPage, context: Context, detail: DetailPane
) -> None:
    went: list[tuple[str, dict[str, Any]]] = []
    context.page_requested.connect(lambda key, details: went.append((key, details)))
    failed = replace(
        record(3, "error"),
        backend="claude_code",
        http_status=404,
        error="There is no model 'gpt-9'.",
        warnings=("Left out: x.",),
    )
    await show(page, context, failed)
    assert (detail.error.text(), detail.warnings.text()) == ("There is no model 'gpt-9'.", "Left out: x.")
    assert detail.advice_button.text() == "Edit model aliases"
    detail.advice_button.click()
    assert went == [("settings", {"setting": "aliases"})]


async def test_the_session_is_one_click_away(page: RequestsPage, context: Context, detail: DetailPane) -> None:
    went: list[tuple[str, dict[str, Any]]] = []
    context.page_requested.connect(lambda key, details: went.append((key, details)))
    await show(page, context, replace(record(1), session_id="ses_1"))
    detail.header.session.click()
    ((key, details),) = went
    assert (key, details["session_id"], details["request"].id) == ("sessions", "ses_1", record(1).id)


async def test_a_running_request_ticks_and_fills_in(
    page: RequestsPage, context: Context, detail: DetailPane, wait_loaded: Wait
) -> None:
    now = [record(1).started_at + 5]
    context.clock = lambda: now[0]
    await show(page, context, record(1, "running"))
    assert ("Running for", "5.0 s") in shown_pairs(detail.times)
    assert detail.header.cancel.isVisible()
    now[0] += 2
    detail.refresh_running_time()
    assert ("Running for", "7.0 s") in shown_pairs(detail.times)
    assert context.store is not None
    await context.store.record_request(replace(record(1, "ok"), request_headers=HEADERS))
    context.bridge.requests_changed.emit([record(1, "ok")])
    assert ("Duration", "2.0 s") in shown_pairs(detail.times)
    assert not detail.header.cancel.isVisible()
    await wait_loaded()
    assert detail.headers.full_text.startswith("content-type")


async def test_what_is_not_kept_says_why(
    page: RequestsPage, context: Context, detail: DetailPane, wait_loaded: Wait
) -> None:
    page.log.receive_records([record(1)])
    page.table.select_request("req_000001")
    await wait_loaded()
    assert detail.headers.note.text() == "This request is no longer in the history."
    await context.change_settings({"history": False})
    await wait_loaded()
    assert detail.headers.note.text() == "Headers and bodies are not kept while the history is off."


async def test_only_the_last_of_two_requests_is_shown(
    page: RequestsPage, context: Context, detail: DetailPane, wait_loaded: Wait
) -> None:
    assert context.store is not None
    for number in (1, 2):
        await context.store.record_request(replace(record(number), request_body=f'"{number}"'))
    page.log.receive_records([record(1), record(2)])
    page.table.select_request("req_000001")
    page.table.select_request("req_000002")
    await wait_loaded()
    assert detail.request_body.view.text() == '"2"'


async def test_a_request_selected_as_another_finishes_loading_is_loaded(
    page: RequestsPage, context: Context, detail: DetailPane, wait_loaded: Wait
) -> None:
    assert context.store is not None
    for number in (1, 2):
        await context.store.record_request(replace(record(number), request_body=f'"{number}"'))
    page.log.receive_records([record(1), record(2)])
    page.table.select_request("req_000001")
    reading = detail.loading
    assert reading is not None
    went = asyncio.Event()

    async def go_on() -> None:
        # The task is done, but its callbacks run only after this.
        while not reading.done():  # noqa: ASYNC110 - the moment between the two is under test
            await asyncio.sleep(0)
        page.table.select_request("req_000002")
        went.set()

    context.run(go_on(), name="go on")
    await went.wait()
    await wait_loaded()
    assert detail.request_body.view.text() == '"2"'


async def test_only_an_error_has_the_colour_of_errors(page: RequestsPage, context: Context, detail: DetailPane) -> None:
    colours = []
    for number, status in ((1, "error"), (2, "cancelled"), (3, "error")):
        await show(page, context, replace(record(number), status=status, error="It ended."))
        detail.error.ensurePolished()
        colours.append(detail.error.palette().color(detail.error.foregroundRole()).name())
    error, muted = (context.theme.colour(token).name() for token in ("error", "muted"))
    assert colours == [error, muted, error]
