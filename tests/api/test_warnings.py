"""The warning header."""

import pytest

from server.api.exchange.warnings import warning_header


def test_none() -> None:
    assert warning_header([]) is None


def test_several() -> None:
    assert warning_header(["one", "two", "one"]) == '299 dragoman "one", 299 dragoman "two"'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\r\nset-cookie: x", "a  set-cookie: x"),
        ('say "hi" \\', 'say \\"hi\\" \\\\'),
        ("Café 日本", "Cafe? ??"),
        ("\x00\x7f", "  "),
    ],
)
def test_no_text_breaks_the_header(text: str, shown: str) -> None:
    assert warning_header([text]) == f'299 dragoman "{shown}"'


def test_it_is_never_longer_than_clients_take() -> None:
    header = warning_header(f"{number} {'x' * 900}" for number in range(20))
    assert header is not None
    assert 3000 < len(header) <= 4096
    assert header.endswith('"')
