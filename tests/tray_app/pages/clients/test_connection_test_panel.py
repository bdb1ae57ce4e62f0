"""The connection test: its request and answer, cancelling, and starting the server first."""

import pytest

from server.core.errors import NotSignedIn
from tests.scripted_backend import Gate, ScriptedBackend, answer, begin
from tests.waiting import until
from tray_app.context import Context
from tray_app.pages.clients import ClientsPage


@pytest.fixture
def gate() -> Gate:
    return Gate()


async def test_the_answer_is_shown(page: ClientsPage, context: Context, backend: ScriptedBackend) -> None:
    await context.server.start()
    backend.script(answer("Hello from Claude."))
    test = page.card.connection_test
    page.card.test.click()
    await until(lambda: test.result.text() == "Hello from Claude.")
    assert test.detail.text().startswith("opus answered in ")
    assert test.again.isVisibleTo(test)
    await until(lambda: not test.running)


async def test_a_stopped_server_is_started_on_request(
    page: ClientsPage, context: Context, backend: ScriptedBackend
) -> None:
    backend.script(answer("Hello."))
    test = page.card.connection_test
    page.card.test.click()
    assert test.result.text() == "The server is not running."
    assert context.server.state == "stopped"
    test.start.click()
    await until(lambda: test.result.text() == "Hello.")
    assert context.server.state == "running"


async def test_an_error_in_words(page: ClientsPage, context: Context, backend: ScriptedBackend) -> None:
    await context.server.start()
    backend.script(NotSignedIn("Claude Code is not signed in.", hint="Run claude and sign in."))
    test = page.card.connection_test
    page.card.test.click()
    await until(lambda: "not signed in" in test.result.text())
    assert test.result.property("role") == "error"
    assert "401" in test.detail.text()
    backend.script(answer("Now it works."))
    test.again.click()
    await until(lambda: test.result.text() == "Now it works.")
    assert test.result.property("role") == ""


async def test_cancel(page: ClientsPage, context: Context, backend: ScriptedBackend, gate: Gate) -> None:
    await context.server.start()
    backend.script(begin(), gate, answer("never"))
    test = page.card.connection_test
    page.card.test.click()
    await gate.reached.wait()
    await until(lambda: test.busy.isVisibleTo(test))
    test.busy.cancel_button.click()
    assert test.result.text() == "Cancelled."
    await backend.until_closed()
    assert not test.running


async def test_a_second_test_ends_the_first(
    page: ClientsPage, context: Context, backend: ScriptedBackend, gate: Gate
) -> None:
    await context.server.start()
    backend.script(begin(), gate, answer("never"))
    backend.script(answer("The second."))
    page.card.test.click()
    await gate.reached.wait()
    page.card.test.click()
    await until(lambda: page.card.connection_test.result.text() == "The second.")
    await backend.until_closed()


async def test_another_client_ends_it(
    page: ClientsPage, context: Context, backend: ScriptedBackend, gate: Gate
) -> None:
    await context.server.start()
    backend.script(begin(), gate, answer("never"))
    page.card.test.click()
    await gate.reached.wait()
    page.open_details(client="zed")
    await backend.until_closed()
    assert page.card.connection_test.isHidden()


async def test_the_way_to_the_log(page: ClientsPage, context: Context, backend: ScriptedBackend) -> None:
    await context.server.start()
    backend.script(answer("Hello."))
    wanted: list[str] = []
    context.page_requested.connect(lambda key, _: wanted.append(key))
    page.card.test.click()
    await until(lambda: page.card.connection_test.requests.isVisibleTo(page.card.connection_test))
    page.card.connection_test.requests.click()
    assert wanted == ["requests"]
