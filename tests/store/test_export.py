"""Export of sessions as JSON and Markdown."""

import orjson
import pytest

from server.core.records import Session, SessionSummary
from server.store.export import session_as_json, session_as_markdown
from tests.store.conversations import assistant, talk, user

SUMMARY = SessionSummary("s1", "My title", "ide/1.0", "claude-opus-5-5", 1.0, 2.0, None, True, 2, 30, 4)


def session(*messages, system=(), summary=SUMMARY):
    return Session(summary, system, messages)


def of_user(*blocks):
    return {"role": "user", "content": list(blocks)}


def test_json_holds_everything():
    exported = session_as_json(session(*talk("a", "b"), system=("Be brief.",)))
    assert orjson.loads(orjson.dumps(exported)) == exported
    assert exported == {
        "format": "dragoman/session-1",
        "id": "s1",
        "title": "My title",
        "client": "ide/1.0",
        "model": "claude-opus-5-5",
        "created_at": 1.0,
        "last_used_at": 2.0,
        "expires_at": None,
        "pinned": True,
        "turns": 2,
        "input_tokens": 30,
        "output_tokens": 4,
        "system": ["Be brief."],
        "messages": talk("a", "b"),
    }


def test_markdown():
    call = {"type": "tool_use", "id": "t1", "name": "look", "input": {"path": "a.py"}}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "seen"}]}
    thought = {"type": "thinking", "thinking": "one\ntwo", "signature": "x"}
    exported = session_as_markdown(
        session(
            user("Look **there**."),
            {"role": "assistant", "content": [thought, {"type": "text", "text": "Yes."}, call]},
            of_user(result),
            assistant("Done."),
            system=("Be brief.",),
        )
    )
    assert (
        exported
        == """# My title

Model claude-opus-5-5, client ide/1.0.

## System

Be brief.

## User

Look **there**.

## Assistant

> one
> two

Yes.

**Tool call** `look`

```json
{
  "path": "a.py"
}
```

## User

**Tool result**

```
seen
```

## Assistant

Done.
"""
    )


@pytest.mark.parametrize(
    ("block", "text"),
    [
        (
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aa"}},
            "*(image, image/png)*",
        ),
        ({"type": "image", "source": {"type": "url", "url": "http://x"}}, "*(image)*"),
        ({"type": "redacted_thinking", "data": "aa"}, "*(redacted_thinking)*"),
        ({"type": "of_the_future"}, "*(of_the_future)*"),
        (
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}},
            '**Tool call** `web_search`\n\n```json\n{\n  "query": "x"\n}\n```',
        ),
        (
            {"type": "web_search_tool_result", "tool_use_id": "s", "content": {"error_code": "unavailable"}},
            '**Tool result**\n\n```json\n{\n  "error_code": "unavailable"\n}\n```',
        ),
        ({"type": "tool_result", "tool_use_id": "t"}, "**Tool result**\n\n```\n\n```"),
        (
            {"type": "tool_result", "tool_use_id": "t", "is_error": True, "content": "no"},
            "**Tool error**\n\n```\nno\n```",
        ),
        ({"type": "tool_result", "tool_use_id": "t", "content": "a ``` b"}, "**Tool result**\n\n````\na ``` b\n````"),
    ],
)
def test_blocks(block, text):
    assert session_as_markdown(session(of_user(block))).endswith(f"## User\n\n{text}\n")


def test_without_a_title_the_id_is_the_heading():
    untitled = SessionSummary("s1", "", "ide", "model", 1.0, 2.0, None, False, 0, 0, 0)
    assert session_as_markdown(session(summary=untitled)).startswith("# s1\n")
