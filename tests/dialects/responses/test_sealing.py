"""Seals open with their own key only, and only as what they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.dialects.responses.sealing import Sealer
from tests.dialects.responses.samples import REDACTED, SEALER, THOUGHT, text

BLOCKS = [THOUGHT, REDACTED, text("Zusammenfassung ✓"), {**THOUGHT, "thinking": ""}]


@pytest.mark.parametrize("block", BLOCKS)
def test_a_seal_opens_as_what_it_was(block: dict) -> None:
    assert SEALER.open(SEALER.seal(block), block["type"]) == block
    assert Sealer(SEALER.key).open(SEALER.seal(block), block["type"]) == block
    assert SEALER.open(SEALER.seal(block), "other") is None
    assert Sealer(b"another key").open(SEALER.seal(block), block["type"]) is None


def test_only_the_api_s_own_members_are_sealed() -> None:
    assert SEALER.open(SEALER.seal({**THOUGHT, "cache_control": {}}), "thinking") == THOUGHT


def test_every_changed_character_is_noticed() -> None:
    sealed = SEALER.seal(THOUGHT)
    for at in range(len(sealed)):
        changed = sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :]
        assert SEALER.open(changed, "thinking") is None
        assert SEALER.open(sealed[:at], "thinking") is None


@given(st.text() | st.text().map(lambda text: f"dgm1.{text}") | st.text().map(lambda text: f"dgm1.e30.{text}"))
def test_anything_else_does_not_open(anything: str) -> None:
    assert SEALER.open(anything, "thinking", "text") is None
    assert SEALER.open(f"{anything}\ud800", "thinking", "text") is None
