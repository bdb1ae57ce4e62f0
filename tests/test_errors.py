"""The tree of errors is the one that is drawn, and each error tells its dialects the status that is drawn."""

import inspect
import re

from server import errors
from server.errors import TrayError, anthropic_response, openai_response

LINE = re.compile(r"^ {4}(?P<indent>[│ ]*)[├└]── (?P<name>\w+)(?: +(?P<status>\d{3}))?", re.MULTILINE)


def drawn() -> dict[str, tuple[str, int | None]]:
    """Parent and status of each error in the drawing."""
    found: dict[str, tuple[str, int | None]] = {}
    path = ["TrayError"]
    for line in LINE.finditer(errors.__doc__ or ""):
        depth = len(line["indent"]) // 4 + 1
        path = [*path[:depth], line["name"]]
        found[line["name"]] = (path[-2], int(line["status"]) if line["status"] else None)
    return found


def declared() -> dict[str, type[TrayError]]:
    classes = inspect.getmembers(errors, inspect.isclass)
    return {
        name: kind for name, kind in classes if issubclass(kind, TrayError) and name[0] != "_" and kind is not TrayError
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
