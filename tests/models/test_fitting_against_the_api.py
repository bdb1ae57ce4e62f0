"""The simulated Messages API refuses no fitted request."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from server.core.errors import InvalidRequest
from server.core.messages import EFFORTS, MessagesRequest, text_block
from server.models import capabilities_of, fit_request
from tests.simulator.models import MODELS
from tests.simulator.refusals import refusal

TOOLS = [{"name": name, "description": "d", "input_schema": {"type": "object"}} for name in ("look", "listen")]
SCHEMAS = [
    {"type": "object"},
    {"type": "object", "properties": {"n": {"type": ["integer", "null"], "minimum": 1}}, "required": ["n"]},
    {"type": "array", "items": {"type": "string", "pattern": "x", "maxLength": 3}, "minItems": 2, "maxItems": 5},
    {"oneOf": [{"type": "string", "format": "odd"}, {"enum": ["a", 1, None]}], "default": None},
    {"$defs": {"A": {"properties": {"a": {"$ref": "#/$defs/A"}}}}, "$ref": "#/$defs/A"},
    {"allOf": [{"type": "object", "properties": {"a": {"const": 1}}}]},
]
TURN = st.text(min_size=1, max_size=5).filter(str.strip).map(text_block)
CONVERSATIONS = st.lists(TURN, min_size=1, max_size=4).map(
    lambda texts: [{"role": ("user", "assistant")[at % 2], "content": [text]} for at, text in enumerate(texts)]
)
REQUESTS = st.builds(
    MessagesRequest,
    model=st.just("m"),
    requested_model=st.just("m"),
    messages=CONVERSATIONS,
    tools=st.sampled_from([(), tuple(TOOLS)]),
    tool_choice=st.none()
    | st.sampled_from([{"type": kind} for kind in ("auto", "any", "none")])
    | st.just({"type": "tool", "name": "look"}),
    max_tokens=st.integers(1, 500_000),
    temperature=st.none() | st.floats(-1, 3),
    top_p=st.none() | st.floats(0, 1),
    top_k=st.none() | st.integers(0, 100),
    stop_sequences=st.lists(st.text(max_size=3), max_size=3).map(tuple),
    effort=st.none() | st.sampled_from(EFFORTS),
    thinking=st.none()
    | st.sampled_from([{"type": "disabled"}, {"type": "adaptive"}])
    | st.builds(lambda budget: {"type": "enabled", "budget_tokens": budget}, st.integers(0, 50_000)),
    output_schema=st.none() | st.sampled_from(SCHEMAS),
    json_object=st.booleans(),
)


def as_body(request, model):
    """Return the request body for the Messages API."""
    output = {"effort": request.effort}
    if request.output_schema is not None:
        output["format"] = {"type": "json_schema", "schema": request.output_schema}
    given = {
        "system": [text_block(text) for text in request.system],
        "tools": list(request.tools),
        "stop_sequences": list(request.stop_sequences),
        "tool_choice": request.tool_choice if request.tools else None,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "top_k": request.top_k,
        "thinking": request.thinking,
        "output_config": {key: value for key, value in output.items() if value is not None},
    }
    required = {"model": model, "max_tokens": request.max_tokens, "messages": list(request.messages)}
    return {**required, **{key: value for key, value in given.items() if value not in (None, [], {})}}


@given(asked=REQUESTS, model=st.sampled_from(sorted(MODELS)))
def test_nothing_fitted_is_refused(asked, model):
    with contextlib.suppress(InvalidRequest):
        fitted = fit_request(asked, capabilities_of(model)).request
        limited = fitted.with_changes(max_tokens=min(fitted.max_tokens, MODELS[model].max_tokens))
        assert refusal(as_body(limited, model)) is None
