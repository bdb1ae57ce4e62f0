"""Validation of an Anthropic API key."""

import pytest

from server.core.errors import SetupError
from server.secrets.anthropic_key import checked_anthropic_key


@pytest.mark.parametrize("text", ["sk-ant-api03-x_y-z", " sk-ant-api03-x_y-z\r\n"])
def test_a_key(text: str) -> None:
    assert checked_anthropic_key(text) == "sk-ant-api03-x_y-z"


@pytest.mark.parametrize("text", ["", " ", "sk-x", "dgm-x", "sk-ant-a b", "sk-ant-a\nb", "sk-ant-ä", "sk-ant-\x7f"])
def test_no_key_and_not_repeated(text: str) -> None:
    with pytest.raises(SetupError) as caught:
        checked_anthropic_key(text)
    assert not text.strip() or text not in str(caught.value)
