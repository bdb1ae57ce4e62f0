"""JSON that keeps every digit of integers."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core import exact_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_every_value_comes_back(value):
    assert exact_json.loads(exact_json.dumps(value)) == value
    assert exact_json.loads(exact_json.dumps(value, indent=True, sort_keys=True).decode()) == value


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**64, 10**40, -(10**19)])
def test_long_integers_keep_their_digits(number):
    assert exact_json.loads(b'{"n": [%d]}' % number) == {"n": [number]}
    assert exact_json.dumps({"n": number}) == b'{"n":%d}' % number


def test_digits_in_a_string_are_no_number():
    assert exact_json.loads('{"id": "12345678901234567890123"}') == {"id": "12345678901234567890123"}


def test_it_writes_as_orjson_does():
    value = {"b": [1, "é"], "a": None}
    assert exact_json.dumps(value) == orjson.dumps(value)
    assert exact_json.dumps({**value, "n": 2**70}) == b'{"b":[1,"\xc3\xa9"],"a":null,"n":1180591620717411303424}'


@pytest.mark.parametrize("text", ["", "{", "[NaN, 12345678901234567890]", "[1e999]", f"[{'1' * 5000}]"])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(orjson.JSONDecodeError):
        exact_json.loads(text)


def test_what_cannot_be_written_is_refused_or_left_to_the_caller():
    with pytest.raises(TypeError):
        exact_json.dumps({"a": object})
    assert exact_json.dumps({"a": object, "n": 2**64}, default=lambda _: "?") == b'{"a":"?","n":18446744073709551616}'
