"""Effort and format of the answer: of the body, and of items that change them within a conversation."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NotRequired

from typing_extensions import TypedDict

from server.core.messages import Effort
from server.dialects.openai.fields import FilledText
from server.dialects.openai.parameters import read_effort, read_output_format
from server.dialects.validation import ByMember


class PlainFormat(TypedDict):
    type: Literal["text", "json_object"]


class SchemaFormat(TypedDict):
    type: Literal["json_schema"]
    name: FilledText
    schema: dict[str, Any]
    description: NotRequired[str | None]


Format = PlainFormat | SchemaFormat


class Text(TypedDict):
    format: NotRequired[Annotated[Format, ByMember("type")] | None]


class Reasoning(TypedDict):
    effort: NotRequired[Literal["none", "minimal", Effort] | None]


class Configuration(TypedDict):
    """The members of a body, and of an item `configuration_update`, which holds until the next one."""

    text: NotRequired[Text | None]
    reasoning: NotRequired[Reasoning | None]


def read_configuration(configurations: Sequence[Configuration]) -> dict[str, Any]:
    """The `MessagesRequest` fields for the last effort and the last format given."""
    efforts = [(one.get("reasoning") or {}).get("effort") for one in configurations]
    formats = [(one.get("text") or {}).get("format") for one in configurations]
    effort = next(filter(None, reversed(efforts)), None)
    return {**read_effort(effort), **_read_format(next(filter(None, reversed(formats)), None))}


def _read_format(wanted: Format | None) -> dict[str, Any]:
    if wanted is None or wanted["type"] == "text":
        return {}
    if wanted["type"] == "json_object":
        return read_output_format(None, None)
    return read_output_format(wanted["schema"], wanted.get("description"))
