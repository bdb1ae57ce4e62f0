"""Every fitted request is accepted by its model when the real CLI sends it.

The simulator refuses what the real API refuses for each model.
"""

import pytest

from server.core.errors import DragomanError
from server.models import capabilities_of, fit_request
from tests.asking import ask, assistant, fold, text, tool, user

LOOK = tool("look", at={"type": "string"})
CALL = assistant({"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}})
RESULT = user({"type": "tool_result", "tool_use_id": "toolu_1", "content": [text("seen")]})
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}, "required": ["a"]}

CASES = {
    "nothing": {},
    "few tokens": {"max_tokens": 100},
    "temperature and top_p": {"temperature": 0.3, "top_p": 0.5},
    "top_p": {"top_p": 0.5},
    "low effort": {"effort": "low", "temperature": 0.2},
    "most effort": {"effort": "max"},
    "no thinking, most effort": {"thinking": {"type": "disabled"}, "effort": "max"},
    "a budget": {"thinking": {"type": "enabled", "budget_tokens": 2000}, "max_tokens": 4000},
    "a budget and few tokens": {"thinking": {"type": "enabled", "budget_tokens": 2000}, "max_tokens": 100},
    "this tool": {"tools": [LOOK], "tool_choice": {"type": "tool", "name": "look"}},
    "this tool, thinking": {
        "tools": [LOOK],
        "tool_choice": {"type": "tool", "name": "look"},
        "thinking": {"type": "adaptive"},
    },
    "one tool at a time": {"tools": [LOOK], "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
    "a schema": {"output_schema": SCHEMA, "temperature": 0.1},
    "a tool result and effort": {"messages": ["q", CALL, RESULT], "tools": [LOOK], "effort": "high"},
    "a prefill": {"messages": ["q", assistant("Sure, ")], "system": ["Be brief."]},
    "a prefill after tools": {"messages": ["q", CALL, RESULT, assistant("I see")], "tools": [LOOK]},
}
MODELS = [
    "claude-sonnet-4-5",
    "claude-opus-4-6",
    "claude-opus-5",
    "claude-sonnet-5-5",
]


@pytest.mark.parametrize("model", MODELS)
async def test_no_request_is_refused(start_backend, simulator, model):
    """Requests without tools and history are turns of one conversation in one process."""
    refused, history = {}, []
    async with start_backend(spares=1, max_conversations=2) as backend:
        await backend.wait_for_probe()
        info = next((one for one in backend.models() if one.id == model), None)
        for name, case in CASES.items():
            parameters = {key: value for key, value in case.items() if key != "messages"}
            in_turn = "messages" not in case and "tools" not in case
            messages = [*history, "q"] if in_turn else case.get("messages", ["q"])
            wanted = ask(*messages, model=model, **parameters)
            calls = len(simulator.messages_calls)
            try:
                whole = await fold(backend.stream(fit_request(wanted, capabilities_of(model, info)).request))
            except DragomanError as error:
                refused[name] = str(error)
            else:
                history = [*messages, assistant(*whole.content)] if in_turn else history
            if len(simulator.messages_calls) != calls + 1:
                refused.setdefault(name, "not one call")
    assert refused == {}
    assert {call.model for call in simulator.messages_calls} == {model}
