"""Lines and whole answers are valid by the types of Ollama's package, and agree."""

import dataclasses
from typing import Any

import ollama
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.errors import ModelNotFound, Overloaded
from server.dialects.ollama.encoder import DECLINED, OllamaEncoder, Shape, chat_shape, generate_shape
from server.dialects.ollama.errors import error_response
from tests.dialects.chat_completions.samples import CONTEXT, events_of
from tests.dialects.generated import Generated

THINKING = {"type": "thinking", "thinking": "Let me think about it."}
TEXT = {"type": "text", "text": "Hello there, world"}
LOOK = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"x": [1, 2, 3], "y": "ü"}}
GO = {"type": "tool_use", "id": "toolu_2", "name": "go", "input": {}}


class Clock:
    """Seconds that pass with each reading."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.5
        return self.now


def encoder(shape: Shape = chat_shape, **options: Any) -> Generated:
    context = dataclasses.replace(CONTEXT, monotonic=Clock())
    return Generated(OllamaEncoder(shape, model="opus", context=context, **options))


def lines_of(made: Generated, blocks: list[Any], *args: Any, **end: Any) -> list[dict[str, Any]]:
    """All lines of a stream, each valid by the package's types."""
    chunks = [chunk for event in events_of(blocks, *args, **end) for chunk in made.feed(event)]
    lines = [chunk.data for chunk in [*chunks, *made.close()] if isinstance(chunk.data, dict)]
    for line in lines:
        kind = ollama.ChatResponse if "message" in line else ollama.GenerateResponse
        kind.model_validate(line)
        assert (line["model"], line["created_at"]) == ("opus", "2023-11-14T22:13:20Z")
    assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]
    return lines


def test_a_chat_in_lines() -> None:
    lines = lines_of(encoder(), [THINKING, TEXT, LOOK, GO], "tool_use", pieces=1)
    messages = [line["message"] for line in lines]
    assert messages[:2] == [
        {"role": "assistant", "content": "", "thinking": "Let me think about it."},
        {"role": "assistant", "content": "Hello there, world"},
    ]
    calls = [call for message in messages for call in message.get("tool_calls", ())]
    assert calls == [
        {"id": "toolu_1", "function": {"index": 0, "name": "look", "arguments": {"x": [1, 2, 3], "y": "ü"}}},
        {"id": "toolu_2", "function": {"index": 1, "name": "go", "arguments": {}}},
    ]
    assert [len(message.get("tool_calls", ())) for message in messages[2:4]] == [1, 1]
    assert messages[-1] == {"role": "assistant", "content": ""}
    assert lines[-1]["done_reason"] == "stop"


def test_the_whole_chat() -> None:
    made = encoder()
    list(lines_of(made, [THINKING, TEXT, LOOK]))
    whole = made.build_response()
    ollama.ChatResponse.model_validate(whole)
    assert whole["message"]["content"] == TEXT["text"]
    assert whole["message"]["thinking"] == THINKING["thinking"]
    assert whole["message"]["tool_calls"][0]["function"]["arguments"] == LOOK["input"]
    assert (whole["done"], whole["done_reason"]) == (True, "stop")


def test_generate() -> None:
    made = encoder(generate_shape)
    lines = lines_of(made, [THINKING, TEXT], pieces=1)
    assert [(line["response"], line.get("thinking")) for line in lines] == [
        ("", THINKING["thinking"]),
        (TEXT["text"], None),
        ("", None),
    ]
    whole = made.build_response()
    assert (whole["response"], whole["thinking"]) == (TEXT["text"], THINKING["thinking"])


def test_counts_and_durations() -> None:
    usage = {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 2}
    last = lines_of(encoder(), [TEXT], "end_turn", usage, pieces=1)[-1]
    assert (last["prompt_eval_count"], last["eval_count"]) == (15, 5)
    # The clock advances half a second at the start, the first word and the end.
    assert last["prompt_eval_duration"] == 500_000_000
    assert last["eval_duration"] == 500_000_000
    assert last["total_duration"] == 1_000_000_000
    assert last["load_duration"] == 0
    whole = encoder().encoder.build_response(_folded([TEXT], usage))
    assert all(type(whole[name]) is int and whole[name] > 0 for name in ("total_duration", "eval_duration"))


def _folded(blocks: list[Any], usage: dict[str, int]) -> list[Any]:
    made = encoder()
    for event in events_of(blocks, "end_turn", usage):
        made.feed(event)
    return made.folds


@pytest.mark.parametrize(
    ("reason", "done_reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("tool_use", "stop"),
        ("refusal", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
    ],
)
def test_reasons(reason: str, done_reason: str) -> None:
    made = encoder()
    assert lines_of(made, [TEXT], reason)[-1]["done_reason"] == done_reason
    assert made.build_response()["done_reason"] == done_reason


@pytest.mark.parametrize(("details", "words"), [({"explanation": "It is unsafe."}, "It is unsafe."), (None, DECLINED)])
def test_a_refusal_is_said_in_the_answer(details: Any, words: str) -> None:
    made = encoder()
    lines = lines_of(made, [], "refusal", stop_details=details)
    assert "".join(line["message"]["content"] for line in lines) == words
    assert made.build_response()["message"]["content"] == words


def test_a_refusal_is_not_inserted_into_a_text() -> None:
    made = encoder(generate_shape, explains_refusals=False)
    assert [line["response"] for line in lines_of(made, [], "refusal")] == [""]
    assert made.build_response()["response"] == ""


def test_a_failed_stream_has_no_done() -> None:
    [chunk] = encoder().fail(Overloaded("Busy.", hint="Wait."))
    assert chunk.data == {"error": "Busy. Wait."}


def test_pings_are_empty_lines() -> None:
    [chat] = encoder().encoder.ping()
    assert isinstance(chat.data, dict)
    assert (chat.data["message"], chat.data["done"]) == ({"role": "assistant", "content": ""}, False)
    [generated] = encoder(generate_shape).encoder.ping()
    assert isinstance(generated.data, dict)
    assert (generated.data["response"], generated.data["done"]) == ("", False)


def test_errors() -> None:
    assert error_response(Overloaded("Busy.")).status == 503
    missing = error_response(ModelNotFound("No 'x'."))
    assert (missing.status, missing.body) == (404, {"error": "model not found: No 'x'."})


BLOCKS = st.lists(
    st.builds(lambda text: {"type": "text", "text": text}, st.text(min_size=1))
    | st.builds(lambda text: {"type": "thinking", "thinking": text}, st.text(min_size=1))
    | st.builds(
        lambda name, given: {"type": "tool_use", "id": f"toolu_{name}", "name": name, "input": given},
        st.from_regex(r"[a-z]{1,8}", fullmatch=True),
        st.dictionaries(st.text(), st.integers(-(2**53), 2**53) | st.text(), max_size=3),
    ),
    max_size=6,
)


@given(BLOCKS, st.integers(1, 5))
def test_the_lines_add_up_to_the_whole(blocks: list[Any], pieces: int) -> None:
    made = encoder()
    lines = lines_of(made, blocks, pieces=pieces)
    whole = made.build_response()["message"]
    messages = [line["message"] for line in lines]
    assert "".join(message["content"] for message in messages) == whole["content"]
    assert "".join(message.get("thinking", "") for message in messages) == whole.get("thinking", "")
    assert [call for message in messages for call in message.get("tool_calls", ())] == whole.get("tool_calls", [])
