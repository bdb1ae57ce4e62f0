"""Client keys before the real CLI: what reaches the model, and what the SDKs make of a refusal."""

from collections.abc import AsyncIterator

import anthropic
import openai
import pytest
import pytest_asyncio

from server.secrets.client_keys import ClientKey
from tests.clients.live import HELLO, Live
from tests.simulator import Text
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Keys:
    """Makes keys for one test."""

    def __init__(self, server: Live) -> None:
        self._clients = server.services.key_store.clients
        self._made: list[ClientKey] = []

    async def add(self, **rules: object) -> str:
        entry, key = await self._clients.add_key(f"key {len(self._made)}", **rules)
        self._made.append(entry)
        return key

    async def revoke_all(self) -> None:
        for key in self._made:
            await self._clients.revoke_key(key.id)


@pytest_asyncio.fixture(loop_scope="module")
async def keys(server: Live) -> AsyncIterator[Keys]:
    keys = Keys(server)
    yield keys
    await keys.revoke_all()


async def test_model_effort_and_preset_reach_the_model(server: Live, keys: Keys) -> None:
    key = await keys.add(model="opus", effort="low", system="Answer in Latin.", system_position="append")
    server.simulator.script([Text("Salve")])
    messages = [{"role": "system", "content": "Be kind."}, *HELLO]
    answer = await server.openai(api_key=key).chat.completions.create(model="default", messages=messages)
    assert answer.choices[0].message.content == "Salve"
    body = server.sent().body
    assert body["model"].startswith("claude-opus")
    assert body["output_config"]["effort"] == "low"
    texts = [block["text"] for block in body["system"]]
    assert texts[-2:] == ["Be kind.", "Answer in Latin."] or "Be kind.\n\nAnswer in Latin." in "\n\n".join(texts)


async def test_the_next_turn_stays_on_its_process(server: Live, keys: Keys) -> None:
    key = await keys.add(model="opus", system="Answer in Latin.")
    client = server.anthropic(api_key=key)
    server.simulator.script([Text("Salve")])
    server.simulator.script([Text("Vale")])
    turns = [{"role": "user", "content": "Hello"}]
    first = await client.messages.create(model="default", messages=turns, max_tokens=500)
    pids = server.pids("idle")
    turns += [{"role": "assistant", "content": first.content}, {"role": "user", "content": "Bye"}]
    second = await client.messages.create(model="default", messages=turns, max_tokens=500)
    assert [block.text for block in second.content if block.type == "text"] == ["Vale"]
    assert server.pids("idle") == pids, "the preset makes no other conversation"
    assert sum("Answer in Latin." in block["text"] for block in server.sent().body["system"]) == 1


async def test_the_sdks_read_the_limits(server: Live, keys: Keys) -> None:
    key = await keys.add(requests_a_minute=2, tokens_a_day=100_000)
    server.simulator.script([Text("one")])
    server.simulator.script([Text("two")])
    raw = await server.openai(api_key=key).chat.completions.with_raw_response.create(model="opus", messages=HELLO)
    assert raw.headers["x-ratelimit-remaining-requests"] == "1"
    assert 0 < int(raw.headers["x-ratelimit-remaining-tokens"]) < 100_000
    await server.openai(api_key=key).chat.completions.create(model="opus", messages=HELLO)
    with pytest.raises(openai.RateLimitError) as caught:
        await server.openai(api_key=key).chat.completions.create(model="opus", messages=HELLO)
    assert caught.value.code == "rate_limit_exceeded"
    assert caught.value.response.headers["x-ratelimit-remaining-requests"] == "0"
    assert int(caught.value.response.headers["retry-after"]) <= 60
    with pytest.raises(anthropic.RateLimitError) as other:
        await server.anthropic(api_key=key).messages.create(model="opus", messages=HELLO, max_tokens=9)
    assert other.value.response.headers["anthropic-ratelimit-requests-remaining"] == "0"
    with pytest.raises(openai.RateLimitError):
        await server.openai(api_key=key).responses.create(model="opus", input="Hello")
    assert len(server.simulator.messages_calls) == 2


async def test_a_used_up_day_is_not_tried_again(server: Live, keys: Keys) -> None:
    key = await keys.add(tokens_a_day=1)
    client = server.openai(api_key=key, max_retries=2)
    with pytest.raises(openai.RateLimitError) as caught:
        await client.chat.completions.create(model="opus", messages=HELLO)
    assert (caught.value.code, caught.value.type) == ("insufficient_quota", "insufficient_quota")
    with pytest.raises(openai.RateLimitError) as caught:
        await client.responses.create(model="opus", input="Hello")
    assert caught.value.code == "insufficient_quota"
    assert not server.simulator.messages_calls


async def test_who_leaves_in_the_middle_pays_as_well(server: Live, keys: Keys) -> None:
    key = await keys.add(tokens_a_day=1_000_000)
    (entry,) = [made for made in keys._made if made.tokens_a_day == 1_000_000]
    server.simulator.script([Text("word " * 2000, chunks=2000, delay=0.01)])
    stream = await server.openai(api_key=key).chat.completions.create(model="opus", messages=HELLO, stream=True)
    received = 0
    async for chunk in stream:
        received += len(chunk.choices[0].delta.content or "") if chunk.choices else 0
        if received >= 1000:
            break
    await stream.close()

    async def used() -> int:
        sums = await server.services.store.usage_by_key()
        return sums[entry.id].tokens if entry.id in sums else 0

    await until(lambda: server.services.key_ledger._usage_of(entry.id).requests)
    tokens = await used()
    assert tokens > 1000 / 3.5
    assert (await server.services.store.usage_by_key())[entry.id].cost_usd > 0
    assert server.services.key_ledger._usage_of(entry.id).tokens == tokens
