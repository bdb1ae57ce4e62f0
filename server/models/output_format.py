"""Fit the output format: an enforced schema, or else an instruction."""

import orjson

from server.core import exact_json
from server.core.errors import InvalidRequest
from server.core.messages import MessagesRequest
from server.models.strict_schema import Untranslatable, to_strict_schema
from server.models.table import Capabilities

_JSON_OBJECT = "Answer with one JSON object and nothing else: no code fence, no words before or after it."
_JSON_SCHEMA = (
    "Answer with one JSON value and nothing else: no code fence, no words before or after it. "
    "The value must satisfy this JSON Schema:\n\n"
)


def fit_output_format(request: MessagesRequest, caps: Capabilities, warnings: list[str]) -> MessagesRequest:
    """Translate `output_schema` to the API's subset; emulate `json_object`."""
    if request.output_schema is None:
        return _with_instruction(request, _JSON_OBJECT) if request.json_object else request
    if not caps.output_schema:
        return _instead_of_schema(request, f"{caps.model} does not take one", warnings)
    try:
        schema, changed = to_strict_schema(request.output_schema)
    except Untranslatable as error:
        return _instead_of_schema(request, str(error), warnings)
    for became in dict.fromkeys(changed.values()):
        names = ", ".join(name for name, other in changed.items() if other == became)
        warnings.append(f"the output schema's {names} cannot be enforced and became {became}")
    return request.with_changes(output_schema=schema, json_object=False)


def _instead_of_schema(request: MessagesRequest, why: str, warnings: list[str]) -> MessagesRequest:
    try:
        schema = exact_json.dumps(request.output_schema).decode()
    except orjson.JSONEncodeError as error:
        raise InvalidRequest(f"The output schema cannot be written as JSON: {error}.") from error
    warnings.append(f"the output schema cannot be enforced ({why}) and was emulated by an instruction")
    return _with_instruction(request, _JSON_SCHEMA + schema)


def _with_instruction(request: MessagesRequest, instruction: str) -> MessagesRequest:
    return request.with_changes(system=(*request.system, instruction), output_schema=None, json_object=False)
