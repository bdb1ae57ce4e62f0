"""Content of the pictures: one invented day and a few minutes of real requests."""

import asyncio
import contextlib
import math
import random
from typing import Any

import anthropic
import openai

from server.config.paths import DATABASE_FILE
from server.config.settings import Settings
from server.core.records import RequestRecord
from tests.simulator import Simulator
from tests.simulator.http_errors import HttpError, RateLimitHeaders
from tests.simulator.replies import Hang, Reply, Text, Thinking, ToolUse
from tray_app.context import Context

PLAN = RateLimitHeaders(five_hour=0.42, seven_day=0.17)
CLIENTS = ("Continue/1.4.2", "Zed/0.214.1", "aider/0.86.1", "OpenAI/Python 3.54.0", "codex_cli_rs/0.61.0")
MODELS = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5")
HOUR = 3600

REVIEW = """\
The loop reads one byte past the end when the line has no newline. Two changes mend it:

1. stop at `len(line)`, not at `len(line) + 1`;
2. treat the last line like the others.

```python
def fields(line: str) -> list[str]:
    \"\"\"The fields of a line, without the newline.\"\"\"
    return line.rstrip("\\n").split("\\t")
```

| case | before | after |
|---|---|---|
| no newline | `IndexError` | 3 fields |
| empty line | `[]` | `[""]` |
"""


async def a_day_of(context: Context) -> None:
    """Requests of the last 24 hours, as many as there are in a day's work."""
    store = context.store
    assert store is not None
    chance = random.Random(7)
    now = context.clock()
    for number in range(420):
        hours = 24 * number / 420
        if chance.random() > 0.15 + 0.85 * max(0.0, math.sin(hours / 24 * math.pi * 2.2)):
            continue
        failed = chance.random() < 0.03
        tokens = chance.randint(900, 42_000)
        await store.record_request(
            RequestRecord(
                f"req_{number:024d}",
                now - (24 - hours) * HOUR,
                chance.choice(("/v1/chat/completions", "/v1/messages")),
                chance.choice(CLIENTS),
                requested_model="gpt-5",
                model=chance.choice(MODELS),
                backend="claude_code",
                stream=True,
                status="error" if failed else "ok",
                http_status=529 if failed else 200,
                ttft=chance.uniform(0.4, 2.5),
                duration=chance.uniform(2, 40),
                input_tokens=tokens,
                output_tokens=chance.randint(60, 2400),
                cache_read_tokens=int(tokens * chance.uniform(0.4, 0.95)),
                cost_usd=chance.uniform(0.003, 0.2),
                stop_reason="end_turn",
            )
        )


async def live(context: Context, api: Simulator) -> str:
    """Some clients at work; one request is still running at the end. The id of the session to show."""
    base_url, key = context.server.base_url, await context.api_key()
    assert key is not None
    zed = openai.AsyncOpenAI(
        base_url=base_url, api_key=key, default_headers={"user-agent": "Zed/0.214.1"}, max_retries=0
    )
    script = anthropic.AsyncAnthropic(base_url=base_url.removesuffix("/v1"), api_key=key, max_retries=0)
    await _review(zed, api)
    await _question(script, api)
    await _refused(zed, api)
    await _with_a_wrong_key(base_url)
    await _hold(zed, api)
    store = context.store
    assert store is not None
    page = await store.list_sessions(search="newline")
    return page.items[0].id


def damage_database(settings: Settings) -> None:
    """Leave a file in the database's place that is none."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    (settings.data_dir / DATABASE_FILE).write_bytes(b"nonsense " * 1000)


async def fill_disk(context: Context) -> None:
    """Let the database grow no more, as on a full disk, and have something that is to be saved."""
    store = context.store
    assert store is not None
    pages = await store._thread.submit(lambda connection: connection.execute("PRAGMA page_count").fetchone()[0])
    await store._thread.submit(lambda connection: connection.execute(f"PRAGMA max_page_count = {pages}").fetchall())
    record = RequestRecord("req_full", context.clock(), "/v1/messages", CLIENTS[0], response_body="word " * 50_000)
    await store.record_request(record)
    await store.list_requests()


async def _with_a_wrong_key(base_url: str) -> None:
    """A client with an old key, which tries several times."""
    options: dict[str, Any] = {"api_key": "dgm-an-old-key", "max_retries": 0}
    cline = openai.AsyncOpenAI(base_url=base_url, default_headers={"user-agent": "Cline/3.38.1"}, **options)
    for _ in range(4):
        with contextlib.suppress(openai.AuthenticationError):
            await cline.models.list()


async def _review(client: openai.AsyncOpenAI, api: Simulator) -> None:
    """Two turns with a tool call between them."""
    tools: Any = [
        {
            "type": "function",
            "function": {
                "name": "read_file",
                "description": "Read a file of the project.",
                "parameters": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
            },
        }
    ]
    messages: list[Any] = [
        {"role": "system", "content": "You are a careful reviewer. Answer in short sentences."},
        {"role": "user", "content": "Why does `fields` fail on the last line of the log? It has no newline."},
    ]
    api.script(
        [
            Thinking("Look at the code first."),
            Text("Let me look at the code."),
            ToolUse("read_file", {"path": "log/fields.py"}),
            PLAN,
        ]
    )
    first = await client.chat.completions.create(model="gpt-5", messages=messages, tools=tools)
    call = first.choices[0].message
    assert call.tool_calls
    messages += [
        call.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.tool_calls[0].id, "content": "def fields(line):\n    return [...]\n"},
    ]
    api.script([Text(REVIEW, delay=0.004), PLAN])
    answer = await client.chat.completions.create(model="gpt-5", messages=messages, tools=tools)
    messages += [
        {"role": "assistant", "content": answer.choices[0].message.content},
        {"role": "user", "content": "Write the test for the empty line, please."},
    ]
    api.script(
        [Text('```python\ndef test_an_empty_line_has_one_field():\n    assert fields("\\n") == [""]\n```'), PLAN]
    )
    await client.chat.completions.create(model="gpt-5", messages=messages, tools=tools)


async def _question(client: anthropic.AsyncAnthropic, api: Simulator) -> None:
    for question, reply in (
        ("Name three uses of a Bloom filter.", "Caches, joins, and spell checkers."),
        ("Translate 'Guten Morgen' into French.", "Bonjour."),
        ("Which HTTP status says that a resource has gone for good?", "410 Gone."),
    ):
        api.script([Text(reply), PLAN])
        await client.messages.create(
            model="claude-haiku-5-5", max_tokens=500, messages=[{"role": "user", "content": question}]
        )


async def _refused(client: openai.AsyncOpenAI, api: Simulator) -> None:
    """A request that fails: the service is overloaded."""
    api.script(HttpError(529))
    try:
        await client.chat.completions.create(model="gpt-5", messages=[{"role": "user", "content": "And now?"}])
    except openai.APIError:
        return


async def _hold(client: openai.AsyncOpenAI, api: Simulator) -> None:
    """A request that runs for as long as the pictures take."""
    hang = Hang()
    api.script(Reply([Text("Let me think about this for a while."), hang]))
    stream = client.chat.completions.create(
        model="claude-opus-5-5", stream=True, messages=[{"role": "user", "content": "Plan the release."}]
    )
    running = asyncio.ensure_future(stream)
    await hang.await_reached()
    await running
