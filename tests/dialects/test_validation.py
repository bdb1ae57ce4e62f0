"""Validation that the dialects share: unions, lists, errors and dropped fields."""

from typing import Annotated, Any, Literal, NotRequired

import pytest
from pydantic import AfterValidator, TypeAdapter
from typing_extensions import TypedDict

from server.core.errors import InvalidRequest
from server.dialects.left_out import dropped_fields
from server.dialects.validation import ByMember, FromText, ListOf, TextOr, check_body, refuse_value


class Circle(TypedDict):
    kind: Literal["circle"]
    radius: int


class Square(TypedDict):
    kind: Literal["square", "box"]
    side: int
    circle: NotRequired[Circle]


Shape = Annotated[Circle | Square, ByMember("kind", default="circle")]


def count(value: int) -> int:
    checked.append(value)
    return value if value else refuse_value("is zero", "Count from 1.")


checked: list[int] = []


class Drawing(TypedDict):
    shapes: NotRequired[TextOr[str, ListOf[Shape]]]
    size: NotRequired[Annotated[int, FromText(int)]]
    steps: NotRequired[ListOf[Annotated[int, AfterValidator(count)]]]


DRAWING = TypeAdapter(Drawing)


def refusal(body: Any) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        check_body(DRAWING, body)
    return caught.value


@pytest.mark.parametrize(
    ("shape", "param"),
    [
        ({"kind": "circle"}, "shapes[0].radius"),
        ({"kind": "square", "side": "x"}, "shapes[0].side"),
        ({"kind": "box", "side": 1, "circle": {"kind": "circle"}}, "shapes[0].circle.radius"),
        ({"kind": "star"}, "shapes[0].kind"),
        ({"kind": []}, "shapes[0].kind"),
        ([], "shapes[0]"),
    ],
)
def test_the_path_of_an_error_names_fields_alone(shape: Any, param: str) -> None:
    assert refusal({"shapes": [shape]}).param == param


def test_a_default_branch_takes_objects_without_the_member() -> None:
    assert check_body(DRAWING, {"shapes": [{"radius": 1}]}) == {"shapes": [{"kind": "circle", "radius": 1}]}


def test_text_in_the_place_of_a_list() -> None:
    assert check_body(DRAWING, {"shapes": "none", "size": "7"}) == {"shapes": "none", "size": 7}
    assert str(refusal({"shapes": 1})) == "`shapes` must be a string or a list. It is 1."


def test_a_list_is_checked_up_to_its_first_invalid_item() -> None:
    checked.clear()
    assert str(refusal({"steps": [1, 0, *[0] * 1000]})) == "`steps[1]` is zero. Count from 1."
    assert checked == [1, 0]


def test_dropped_fields() -> None:
    sent = {"a": 1, "b": {"c": 1, "d": 1, "e": 0}, "f": [{"g": 1, "h": 1}], "i": 1, "j": "plain", "k": {"i": 1}}
    kept = {"a": 1, "b": {"c": 1}, "f": [{"g": 1}], "k": {}}
    assert list(dropped_fields(sent, kept, {"i", "b.d"}, {"j": "plain"})) == ["f.h"]


def test_a_value_of_any_depth_is_reported() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    assert str(refusal({"size": deep})) == "`size` must be a string. It is a list."
