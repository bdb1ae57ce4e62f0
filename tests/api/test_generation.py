"""The generation of an answer, without HTTP."""

from server.api.exchange.generation import HIGH_WATER, Generation
from server.dialects.base import Context
from server.dialects.chat_completions import to_messages
from server.dialects.chat_completions.dialect import CHAT_COMPLETIONS
from server.models import FittedRequest
from tests.scripted_backend import Gate, ScriptedBackend, answer, begin, end, text

BODY = {"model": "opus", "messages": [{"role": "user", "content": "Hello"}], "stream": True}


def produce(backend: ScriptedBackend) -> tuple[Generation, list[str]]:
    """A running generation, and the list of its callbacks."""
    context = Context(aliases={}, models=(), default_model="opus", response_id="1", created=1)
    call = to_messages(BODY, context)
    calls: list[str] = []
    generation = Generation(
        backend,
        FittedRequest(call.request, []),
        call,
        frame=CHAT_COMPLETIONS.framing.frame,
        refit=lambda choice: FittedRequest(call.request.with_choice(choice), []),
        on_switched=lambda model, warnings: calls.append(f"switched to {model}"),
        on_routed=lambda backend, warnings: calls.append(" ".join(["routed to", backend, *warnings])),
        on_first_delta=lambda: calls.append("first delta"),
        on_complete=lambda: calls.append("complete"),
    )
    generation.start()
    return generation, calls


async def test_what_came_together_is_taken_together() -> None:
    backend = ScriptedBackend()
    backend.script(answer("a", "b", "c"))
    generation, calls = produce(backend)
    await generation.finished.wait()
    assert generation.take_output().count(b"data: ") == 6
    assert generation.take_output() == b""
    assert calls == ["first delta", "complete"]


async def test_it_is_complete_before_anyone_has_read_it() -> None:
    backend, gate = ScriptedBackend(), Gate()
    backend.script(begin(), text("a"), gate, end())
    generation, calls = produce(backend)
    await gate.reached.wait()
    assert generation.has_started
    assert not generation.is_over
    gate.open()
    await generation.finished.wait()
    assert calls == ["first delta", "complete"]


async def test_a_slow_client_holds_the_backend_back() -> None:
    backend = ScriptedBackend()
    part = "x" * 10_000
    backend.script(answer(*[part] * 200))
    generation, _ = produce(backend)
    most = received = 0
    while not generation.is_over or received == 0:
        await generation.changed.wait()
        generation.changed.clear()
        data = generation.take_output()
        most, received = max(most, len(data)), received + len(data)
    received += len(generation.take_output())
    assert received > 2_000_000
    assert HIGH_WATER < most < HIGH_WATER + 20_000


async def test_stopping_lets_go_of_the_backend() -> None:
    backend, gate = ScriptedBackend(), Gate()
    backend.script(begin(), gate)
    generation, calls = produce(backend)
    await gate.reached.wait()
    await generation.stop()
    assert backend.closed == 1
    assert calls == []
