"""A recorded request read as its client wrote it."""

from typing import Any

import pytest

from tests.simulator import Recorded, client_system, client_tools, conversation, last_user_text, says

MARK = {"cache_control": {"type": "ephemeral"}}
NOTES = [
    "<system-reminder>\n# Environment\nYou have been invoked in ...</system-reminder>",
    "<system-reminder>\nYou are powered by the model named Sonnet 4.5.\n</system-reminder>",
    "<system-reminder>\nToday's date is 2026-11-22.\n</system-reminder>\n",
]
LEFT = "<system-reminder>\n<total_tokens>14999111 tokens left</total_tokens>\n</system-reminder>"


def recorded(**body: Any) -> Recorded:
    return Recorded("POST", "/v1/messages", {}, b"", body)


def text(value: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": value, **more}


def test_turns_without_what_the_cli_adds() -> None:
    request = recorded(
        messages=[
            {"role": "user", "content": "old"},
            {"role": "system", "content": [], "output_config": {"effort": "medium"}},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "1", "name": "mcp__client__w", "input": MARK}],
            },
            {"role": "user", "content": [text(note) for note in NOTES] + [text("new", **MARK)]},
            {"role": "user", "content": [text("<system-reminder>\nmy own\n</system-reminder>")]},
        ]
    )
    assert conversation(request) == [
        ("user", [text("old")]),
        ("assistant", [{"type": "tool_use", "id": "1", "name": "w", "input": MARK}]),
        ("user", [text("new")]),
        ("user", [text("<system-reminder>\nmy own\n</system-reminder>")]),
    ]


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        ([text("sunny\n"), text(LEFT)], [text("sunny")]),
        ([text("sunny\n")], [text("sunny\n")]),
        ([text(LEFT)], []),
        (f"sunny\n{LEFT}", "sunny"),
        ("sunny", "sunny"),
    ],
)
def test_tool_results_without_the_count_of_tokens(sent: Any, written: Any) -> None:
    result = {"type": "tool_result", "tool_use_id": "1"}
    request = recorded(messages=[{"role": "user", "content": [{**result, "content": sent, **MARK}]}])
    assert conversation(request) == [("user", [{**result, "content": written}])]


def test_system_and_tools() -> None:
    request = recorded(
        system=[
            text("x-anthropic-billing-header: cc_version=1;"),
            text("You are a Claude agent, built on Anthropic's Claude Agent SDK.", **MARK),
            text("You are a pirate.", **MARK),
        ],
        tools=[{"name": "mcp__client__w", "input_schema": {}, **MARK}],
    )
    assert client_system(request) == "You are a pirate."
    assert client_tools(request) == [{"name": "w", "input_schema": {}}]
    assert (client_system(recorded()), client_tools(recorded())) == ("", [])


def test_last_user_text() -> None:
    request = recorded(messages=[{"role": "user", "content": "a"}, {"role": "user", "content": [text("b"), text("c")]}])
    assert last_user_text(request) == "bc"
    assert says("b")(request)
    assert not says("a")(request)
