"""The error hierarchy matches its drawing, and each error has the drawn status."""

import inspect
import re
from typing import Any

import pytest

from server.core import errors
from server.core.errors import DragomanError, as_dragoman_error
from server.dialects.messages.errors import error_response as anthropic_response
from server.dialects.openai.errors import error_response as openai_response
from tests.openai_schema import validate

LINE = re.compile(r"^ {4}(?P<indent>[│ ]*)[├└]── (?P<name>\w+)(?: +(?P<status>\d{3}))?", re.MULTILINE)


def drawn() -> dict[str, tuple[str, int | None]]:
    """Parent and status of each error in the drawing."""
    found: dict[str, tuple[str, int | None]] = {}
    path = ["DragomanError"]
    for line in LINE.finditer(errors.__doc__ or ""):
        depth = len(line["indent"]) // 4 + 1
        path = [*path[:depth], line["name"]]
        found[line["name"]] = (path[-2], int(line["status"]) if line["status"] else None)
    return found


def declared() -> dict[str, type[DragomanError]]:
    classes = inspect.getmembers(errors, inspect.isclass)
    return {
        name: kind
        for name, kind in classes
        if issubclass(kind, DragomanError) and name[0] != "_" and kind is not DragomanError
    }


def test_every_error_is_in_the_drawing() -> None:
    assert drawn().keys() == declared().keys()


def test_parents_are_as_drawn() -> None:
    for name, (parent, _) in drawn().items():
        assert parent in [base.__name__ for base in declared()[name].__bases__], name


def test_statuses_are_as_drawn() -> None:
    for name, (_, status) in drawn().items():
        error = declared()[name].__new__(declared()[name])
        assert status in (None, error.status), name


def test_a_cancelled_request_is_not_asked_again() -> None:
    error = errors.RequestCancelled("It was cancelled.")
    for response in (openai_response(error), anthropic_response(error)):
        assert (response.status, response.headers) == (499, {"x-should-retry": "false"})


def test_openais_clients_are_told_503_instead_of_529() -> None:
    error = errors.Overloaded("Too much.", retry_after=3)
    assert (openai_response(error).status, anthropic_response(error).status) == (503, 529)
    assert openai_response(error).headers == {"retry-after": "3"}


def made(kind: type[DragomanError]) -> DragomanError:
    """An error of that class, with made-up data where required."""
    data: dict[str, Any] = {"limit": 10, "host": "127.0.0.1", "port": 80, "in_use": True, "found": 9, "known": 1}
    data |= {"resets_at": 1.0, "retry_after": 1.0}
    needed = inspect.signature(kind).parameters
    return kind("It broke.", hint="Mend it.", **{name: value for name, value in data.items() if name in needed})


@pytest.fixture(params=sorted(declared()))
def error(request: pytest.FixtureRequest) -> DragomanError:
    return made(declared()[request.param])


def test_openais_clients_can_read_every_error(error: DragomanError) -> None:
    response = openai_response(error)
    validate("ErrorResponse", response.body)
    assert response.body["error"]["message"] == "It broke. Mend it."
    assert response.body["error"]["type"]


# https://docs.anthropic.com/en/api/errors
ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def test_anthropics_clients_can_read_every_error(error: DragomanError) -> None:
    response = anthropic_response(error, "req_1")
    kind = response.body["error"]["type"]
    assert response.body == {
        "type": "error",
        "error": {"type": kind, "message": "It broke. Mend it."},
        "request_id": "req_1",
    }
    assert response.status == error.status
    assert kind == ANTHROPIC_TYPES.get(error.status, kind)
    assert kind in ANTHROPIC_TYPES.values()


def test_an_error_is_one_of_the_client_or_of_the_server_by_its_status(error: DragomanError) -> None:
    if isinstance(error, errors.RequestError):
        assert 400 <= error.status < 500
    if isinstance(error, errors.SetupError):
        assert error.status == 500


def test_without_a_request_id_the_body_has_none() -> None:
    assert "request_id" not in anthropic_response(errors.NotFound("No.")).body


def test_a_message_without_a_hint_ends_where_it_ends() -> None:
    assert str(errors.NotFound("No.")) == "No."


def test_the_field_at_fault_is_named() -> None:
    error = errors.InvalidRequest("No.", param="messages[2].role", code="bad_role")
    assert openai_response(error).body["error"] == {
        "message": "No.",
        "type": "invalid_request_error",
        "param": "messages[2].role",
        "code": "bad_role",
    }


def test_clients_know_a_full_context_by_its_code() -> None:
    assert openai_response(errors.ContextTooLong("Long.")).body["error"]["code"] == "context_length_exceeded"


@pytest.mark.parametrize(
    ("seconds", "header"),
    [(None, None), (0, "1"), (0.4, "1"), (1.6, "2"), (90.2, "90"), (-5, "1")],
)
def test_when_to_come_again(seconds: float | None, header: str | None) -> None:
    for kind in (errors.RateLimited, errors.QueueFull, errors.PlanLimitReached, errors.Overloaded, errors.Stopping):
        assert kind("Later.", retry_after=seconds).headers.get("retry-after") == header


def test_which_methods_there_are() -> None:
    assert errors.MethodNotAllowed("No.", allowed=("GET", "POST")).headers == {"allow": "GET, POST"}
    assert errors.MethodNotAllowed("No.").headers == {}


def test_what_is_not_ours_says_nothing_of_itself() -> None:
    found = as_dragoman_error(KeyError("sk-ant-secret"))
    assert type(found) is DragomanError
    assert (found.status, openai_response(found).status, anthropic_response(found).status) == (500, 500, 500)
    assert "secret" not in str(found)
    validate("ErrorResponse", openai_response(found).body)


def test_ours_stay_what_they_are(error: DragomanError) -> None:
    assert as_dragoman_error(error) is error
