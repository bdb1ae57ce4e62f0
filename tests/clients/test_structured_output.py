"""Answers of a given form: `response_format`, and the SDK's `parse` with pydantic models."""

import enum
from typing import Any, Literal

import openai
import orjson
import pytest
from pydantic import BaseModel, Field

from tests.clients.live import Live
from tests.simulator import Text, client_system

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "claude-sonnet-5-5"
QUESTION = [{"role": "user", "content": "Give it to me."}]


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Wheel(BaseModel):
    size: int = Field(ge=1, description="In inches.")
    spokes: int | None


class Bicycle(BaseModel):
    """A schema with every keyword that must be adapted to the API's subset."""

    name: str = Field(max_length=40)
    colour: Colour
    kind: Literal["race", "city"]
    wheels: list[Wheel] = Field(max_length=2)
    bell: Wheel | None
    weight: float
    tags: list[str]


BICYCLE = {
    "name": "Rosinante",
    "colour": "blue",
    "kind": "city",
    "wheels": [{"size": 28, "spokes": 36}, {"size": 28, "spokes": None}],
    "bell": None,
    "weight": 12.5,
    "tags": [],
}


async def test_parse_with_a_pydantic_model(server: Live) -> None:
    server.simulator.script(Text(orjson.dumps(BICYCLE).decode()))
    completion = await server.openai().chat.completions.parse(model=MODEL, messages=QUESTION, response_format=Bicycle)
    assert completion.choices[0].message.parsed == Bicycle.model_validate(BICYCLE)
    format_ = server.sent().body["output_config"]["format"]
    assert format_["type"] == "json_schema"
    assert set(format_["schema"]["properties"]) == set(BICYCLE)
    assert format_["schema"]["additionalProperties"] is False


async def test_parse_what_the_schema_makes_of_it(server: Live) -> None:
    """The simulator refuses schemas that the API does not take, and answers with an instance of this one."""
    completion = await server.openai().chat.completions.parse(model=MODEL, messages=QUESTION, response_format=Bicycle)
    assert isinstance(completion.choices[0].message.parsed, Bicycle)


async def test_parse_a_stream(server: Live) -> None:
    server.simulator.script(Text(orjson.dumps(BICYCLE).decode(), chunks=5))
    create = server.openai().chat.completions.stream
    async with create(model=MODEL, messages=QUESTION, response_format=Bicycle) as stream:
        kinds = [event.type async for event in stream]
        final = await stream.get_final_completion()
    assert kinds.count("content.delta") >= 5
    assert final.choices[0].message.parsed == Bicycle.model_validate(BICYCLE)


@pytest.mark.parametrize("model", [MODEL, "claude-sonnet-4-5"])
async def test_json_object(server: Live, model: str) -> None:
    server.simulator.script(Text('{"a": 1}'))
    completion = await server.openai().chat.completions.create(
        model=model, messages=QUESTION, response_format={"type": "json_object"}
    )
    assert orjson.loads(completion.choices[0].message.content) == {"a": 1}
    assert "JSON object" in client_system(server.sent())
    assert "format" not in server.sent().body.get("output_config", {})


NUMBER = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}, "required": ["n"]}
FREE_FORM = {"type": "object", "additionalProperties": {"type": "integer"}}


@pytest.mark.parametrize(("schema", "native"), [(NUMBER, True), (FREE_FORM, False)])
@pytest.mark.parametrize("model", [MODEL, "claude-sonnet-4-5"])
async def test_json_schema(server: Live, model: str, schema: Any, native: bool) -> None:
    """Where the API cannot enforce a schema, an instruction replaces it, with a warning."""
    server.simulator.script(Text('{"n": 4}'))
    create = server.openai().chat.completions.with_raw_response.create
    raw = await create(
        model=model,
        messages=QUESTION,
        response_format={"type": "json_schema", "json_schema": {"name": "number", "schema": schema}},
    )
    assert orjson.loads(raw.parse().choices[0].message.content) == {"n": 4}
    assert ("format" in server.sent().body.get("output_config", {})) is native
    assert ("JSON Schema" in client_system(server.sent())) is not native
    assert "schema" in raw.headers["warning"]


async def test_a_schema_and_tools(server: Live) -> None:
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
    await server.openai().chat.completions.create(
        model=MODEL,
        messages=QUESTION,
        tools=[tool],
        response_format={"type": "json_schema", "json_schema": {"name": "b", "schema": Bicycle.model_json_schema()}},
    )
    body = server.sent().body
    assert [one["name"] for one in body["tools"]] == ["mcp__client__look"]
    assert body["output_config"]["format"]["type"] == "json_schema"


@pytest.mark.parametrize(
    ("response_format", "param"),
    [
        ({"type": "xml"}, "response_format.type"),
        ({"type": "json_schema"}, "response_format.json_schema"),
        ({"type": "json_schema", "json_schema": {"schema": {}}}, "response_format.json_schema.name"),
    ],
)
async def test_a_format_that_there_is_not(server: Live, response_format: Any, param: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await server.openai().chat.completions.create(model=MODEL, messages=QUESTION, response_format=response_format)
    assert caught.value.param.startswith(param)
