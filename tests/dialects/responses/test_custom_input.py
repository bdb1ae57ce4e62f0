"""The input of a custom tool is decoded while its JSON is written, wherever it is cut."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.dialects.responses.custom_input import CustomInputDecoder


def decode(*fragments: str) -> list[str]:
    """What each fragment adds, and the end."""
    decoder = CustomInputDecoder()
    return [*(decoder.feed(fragment) for fragment in fragments), decoder.finish()]


def decode_singly(text: str) -> str:
    return "".join(decode(*text))


@pytest.mark.parametrize("text", ["", "a", '*** Begin\n\t+x\\y"z"', "ü😀\u2028", "\x00\x7f", "</x>{}[],:"])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_any_text_is_decoded(text, ascii_only):

    written = json.dumps({"input": text}, ensure_ascii=ascii_only)
    assert "".join(decode(written)) == decode_singly(written) == text


def test_the_text_comes_with_its_fragments():
    assert decode('{"in', 'put": "a', "b\\", "nc\\u00", 'fc", "x', '": 1}') == ["", "a", "b", "\nc", "ü", "", ""]


def test_the_halves_of_a_pair_come_together():
    assert decode('{"input":"a\\ud83d', "\\ude00b", '"}') == ["a", "😀b", "", ""]
    assert decode('{"input":"\\ud83d\\u', "de", '00"}') == ["", "", "😀", ""]


def test_a_half_without_the_other_is_replaced():
    assert "".join(decode('{"input":"a\\ud83d', 'b\\udc00"}')) == "a\ufffdb\ufffd"
    assert "".join(decode('{"input":"a\\ud83d"}')) == "a\ufffd"


@pytest.mark.parametrize(
    "before",
    [
        '"x": 1',
        '"x": "\\"input\\": \\"no\\""',
        '"x": {"input": "no", "y": ["input", {"input": "no"}]}',
        '"input2": "no"',
        '"x": ["input", "no"], "y": null, "z": -1.5e3',
        '"x": "input"',
    ],
)
def test_other_members_may_come_before(before):
    written = "{ " + before + ', "input" : "yes\\n", "after": "no"}'
    assert "".join(decode(written)) == decode_singly(written) == "yes\n"


def test_an_escaped_key_is_the_key():
    assert decode_singly('{"\\u0069nput": "yes"}') == "yes"


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("", ""),
        ("  ", ""),
        ("{}", ""),
        ('{"input": null}', ""),
        ('{"input": 5}', "5"),
        ('{"input": {"a": [1]}}', '{"a":[1]}'),
        ('{"code": "x = 1"}', "x = 1"),
        ('{"a": "x", "b": "y"}', '{"a":"x","b":"y"}'),
        ('"just text"', "just text"),
        ("[1,2]", "[1,2]"),
        ("print('no JSON')", "print('no JSON')"),
        ('{"input": tru', '{"input": tru'),
    ],
)
def test_an_input_of_another_form_is_given_whole(written, text):
    assert "".join(decode(written)) == decode_singly(written) == text


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ('{"input": "cut', "cut"),
        ('{"input": "cut\\', "cut"),
        ('{"input": "cut\\u00f', "cut"),
        ('{"input": "cut\\ud83d', "cut"),
        ('{"input": "', ""),
        ('{"input": "a" garbage', "a"),
        ('{"input": "raw\nline"}', "raw\nline"),
        ('{"input": "\\d \\u12 \\uzzzz"}', "\\d \\u12 \\uzzzz"),
    ],
)
def test_json_that_is_cut_or_invalid(written, text):
    assert "".join(decode(written)) == decode_singly(written) == text


OTHERS = st.dictionaries(
    st.text().filter(lambda key: key != "input"),
    st.recursive(st.none() | st.integers() | st.text(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)),
    max_size=3,
)


@given(st.text(), OTHERS, OTHERS, st.booleans(), st.data())
def test_any_object_cut_anywhere(text, before, after, ascii_only, data):

    written = json.dumps({**before, "input": text, **after}, ensure_ascii=ascii_only)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(written)), max_size=8)))
    fragments = [written[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(written)], strict=True)]
    decoded = "".join(decode(*fragments))
    assert decoded == text
    orjson.dumps(decoded)


@given(st.lists(st.sampled_from(['"', "\\", "{", "}", "[", "]", ":", ",", "input", "a", "\\ud83d", "\\u0", "n", " "])))
def test_any_garbage_is_decoded_alike_in_one_piece_and_in_many(pieces):
    written = "".join(pieces)
    whole = "".join(decode(written))
    assert whole == decode_singly(written) == "".join(decode(*pieces))
    orjson.dumps(whole)
