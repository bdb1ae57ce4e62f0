"""Server tools that a request can do without."""

import pytest

from server.backends.base import ROUTED
from server.backends.optional_tools import (
    FORGET_AFTER_SECONDS,
    Answering,
    RefusedTools,
    stream_with_optional_tools,
)
from server.core.errors import AccountRefused, InvalidRequest, Overloaded
from tests.asking import ask, tool
from tests.scripted_backend import ScriptedBackend, answer, begin

SEARCH = {"type": "web_search_20250305", "name": "web_search"}
OPTIONAL = frozenset({"web_search"})
REQUEST = ask("Hi", tools=[tool("look"), SEARCH], tool_choice={"type": "auto"}, optional_tools=OPTIONAL)
REFUSED = InvalidRequest("tools.1: Web search is not enabled for this organization.")


class Clock:
    """A monotonic clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def run(backend, request=REQUEST, refused=None, account="me", warnings=()):
    """The events, the routed one first, and the tools that each attempt offered."""
    stream = stream_with_optional_tools(
        backend.stream, request, refused or RefusedTools(), Answering("scripted", account, warnings)
    )
    return [event async for event in stream]


def offered(backend):
    return [[one["name"] for one in request.tools] for request in backend.requests]


@pytest.mark.parametrize("error", [REFUSED, AccountRefused("web_search_20250305 is not permitted.")])
async def test_it_begins_again_without_a_refused_tool(error):
    backend = ScriptedBackend()
    backend.script(error)
    backend.script(answer("Hello"))
    first, *events = await run(backend)
    assert (first["type"], events) == (ROUTED, answer("Hello"))
    assert first["warnings"] == ["web_search is refused by the API for this account or model and was left out"]
    assert offered(backend) == [["look", "web_search"], ["look"]]


async def test_a_refused_tool_is_not_tried_again_for_hours():
    backend, clock = ScriptedBackend(), Clock()
    refused = RefusedTools(clock)
    backend.script(REFUSED)
    for _ in range(5):
        backend.script(answer("Hello"))
    await run(backend, refused=refused)
    clock.now = FORGET_AFTER_SECONDS - 1
    assert (await run(backend, refused=refused))[0]["type"] == ROUTED
    await run(backend, REQUEST.with_changes(model="claude-opus-5-5"), refused)
    await run(backend, refused=refused, account="another")
    clock.now = FORGET_AFTER_SECONDS
    assert (await run(backend, refused=refused))[0]["type"] != ROUTED
    assert [len(tools) for tools in offered(backend)] == [2, 1, 1, 2, 2, 2]


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (REQUEST, InvalidRequest("tools.0: the schema is invalid.")),
        (REQUEST, Overloaded("web_search is overloaded.")),
        (REQUEST.with_changes(optional_tools=frozenset()), REFUSED),
        (ask("Hi", tools=[tool("web_search")], optional_tools=OPTIONAL), REFUSED),
    ],
)
async def test_other_errors_are_the_client_s(request_, error):
    backend = ScriptedBackend()
    backend.script(error)
    with pytest.raises(type(error)) as raised:
        await run(backend, request_)
    assert raised.value is error
    assert len(backend.requests) == 1


async def test_an_answer_that_has_begun_is_not_begun_again():
    backend = ScriptedBackend()
    backend.script(begin(), REFUSED)
    with pytest.raises(InvalidRequest):
        await run(backend)
    assert len(backend.requests) == 1


async def test_without_any_tool_left_there_is_no_choice():
    backend = ScriptedBackend()
    backend.script(REFUSED)
    backend.script(answer("Hello"))
    await run(backend, REQUEST.with_changes(tools=[SEARCH]))
    assert (backend.requests[1].tools, backend.requests[1].tool_choice) == ([], None)


async def test_warnings_come_with_the_first_event_alone():
    backend = ScriptedBackend()
    backend.script(answer("Hello"))
    first, *events = await run(backend, warnings=["metadata was left out"])
    assert (first["warnings"], events) == (["metadata was left out"], answer("Hello"))
    backend.script(Overloaded("Later."))
    with pytest.raises(Overloaded):
        await run(backend, warnings=["metadata was left out"])
