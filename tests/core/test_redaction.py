"""Redaction removes every secret and leaves other text readable."""

import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.redaction import redact, redact_text

OWN = "dgm-" + "Ab3_-" * 8 + "xyz"
ANTHROPIC = "sk-ant-api03-" + "Zz9-_" * 10
OPENAI = "sk-proj-" + "Qq7" * 10


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"key {OWN}.", "key dgm-[redacted]."),
        (f"{ANTHROPIC} and {OPENAI}", "sk-ant-[redacted] and sk-[redacted]"),
        (f"Authorization: Bearer {OWN}\nnext", "Authorization: [redacted]\nnext"),
        ("authorization: Basic dXNlcjpwYXNz", "authorization: [redacted]"),
        (f"got Bearer {OPENAI}", "got Bearer [redacted]"),
        ("x-api-key: abc, other: 1", "x-api-key: [redacted], other: 1"),
        ('{"api_key": "abc", "n": 1}', '{"api_key": "[redacted]", "n": 1}'),
        (r'{"a": "{\"api_key\": \"abc\"}"}', r'{"a": "{\"api_key\": \"[redacted]\"}"}'),
        ("ANTHROPIC_AUTH_TOKEN=abc ls", "ANTHROPIC_AUTH_TOKEN=[redacted] ls"),
        ("cookie: a=b; c=d\nhost: x", "cookie: [redacted]\nhost: x"),
        ("set-cookie: sid=1; HttpOnly", "set-cookie: [redacted]"),
        ("http://h/?api_key=abc&x=1", "http://h/?api_key=[redacted]&x=1"),
        (f"a%3D{OPENAI}", "a%3Dsk-[redacted]"),
        (rf"a\n{OPENAI}", r"a\nsk-[redacted]"),
        ('"url":"data:image/png;base64,iVBORw0KGgo="', '"url":"data:image/png;base64,[12 characters]"'),
        ("A" * 300, "[300 characters]"),
    ],
)
def test_secrets_go(text: str, expected: str) -> None:
    assert redact_text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a risk-management-and-mitigation plan for disk-encryption-everywhere",
        "max_tokens: 100, prompt_tokens=5",
        "the bearer of bad news",
        "basic income, a cookie and a secret",
        "12345678-1234-1234-1234-123456789abc",
        "data: [DONE]",
        "/home/user/some/quite/long/path/" + "x" * 100,
        "req_0123456789abcdef0123456789abcdef",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact_text(text) == text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"X-Api-Key": "abc"}, {"X-Api-Key": "[redacted]"}),
        ({"ANTHROPIC_API_KEY": "abc"}, {"ANTHROPIC_API_KEY": "[redacted]"}),
        ({"Authorization": "Token abc"}, {"Authorization": "[redacted]"}),
        ({"headers": {"cookie": "a=b"}}, {"headers": {"cookie": "[redacted]"}}),
        ({"api_key": None, "password": ""}, {"api_key": None, "password": ""}),
        ([("cookie", "a=b"), ("host", "h")], [("cookie", "[redacted]"), ("host", "h")]),
        ({"data": "B" * 400, "n": 1}, {"data": "[400 characters]", "n": 1}),
        ([OWN, 1, None, 2.5, True], ["dgm-[redacted]", 1, None, 2.5, True]),
        ((OWN, OWN, OWN), ("dgm-[redacted]",) * 3),
        ({1: OWN}, {1: "dgm-[redacted]"}),
        (b"bytes", b"bytes"),
    ],
)
def test_structures(value: Any, expected: Any) -> None:
    assert redact(value) == expected


def test_nothing_is_changed_in_place() -> None:
    value = {"headers": [{"cookie": "a"}]}
    redact(value)
    assert value == {"headers": [{"cookie": "a"}]}


key_tail = st.text(string.ascii_letters + string.digits + "_-", min_size=20, max_size=60)
around = st.text(max_size=40)


@given(around, st.sampled_from(["dgm-", "sk-ant-"]), key_tail, around)
def test_no_key_comes_through_whatever_stands_around_it(before: str, prefix: str, tail: str, after: str) -> None:
    assert prefix + tail not in redact_text(before + prefix + tail + after)


@given(around.filter(lambda text: not text[-1:].isalpha()), key_tail, around)
def test_no_openai_key_comes_through(before: str, tail: str, after: str) -> None:
    assert "sk-" + tail not in redact_text(f"{before}sk-{tail}{after}")
    assert "sk-" + tail not in redact_text(json.dumps(f"{before}\nsk-{tail}{after}"))


texts = st.text() | st.sampled_from([OWN, f"cookie={OWN}", f"api_key: Bearer {OPENAI}", "data:a/b,c", "Q" * 299])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts | st.just("cookie"), inner) | st.tuples(texts, inner),
)


@given(values)
def test_redacting_again_changes_nothing(value: Any) -> None:
    once = redact(value)
    assert redact(once) == once
