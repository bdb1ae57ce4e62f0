"""Answers held to OpenAI's published schemas (tests/spec)."""

from functools import cache
from pathlib import Path
from typing import Any

import orjson
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry
from referencing.jsonschema import DRAFT202012

_SPEC = Path(__file__).parent / "spec" / "openai-schemas.json"
_URI = "urn:openai"


def validate(schema_name: str, instance: Any) -> None:
    """Raises `jsonschema.ValidationError`, the most telling one, unless `instance` satisfies the schema."""
    error = best_match(_validator(schema_name).iter_errors(instance))
    if error is not None:
        raise error


def validate_response_event(event: Any) -> None:
    """Raises `jsonschema.ValidationError` unless `event` is one of ResponseStreamEvent.

    Only the schema of its own type is tried, since trying them all takes as long as everything else in a test.
    """
    validate(_event_schemas()[event["type"]], event)


@cache
def _event_schemas() -> dict[str, str]:
    """The schemas of ResponseStreamEvent by the event's type."""
    schemas = orjson.loads(_SPEC.read_bytes())["components"]["schemas"]
    names = [one["$ref"].rpartition("/")[2] for one in schemas["ResponseStreamEvent"]["anyOf"]]
    return {kind: name for name in names for kind in schemas[name]["properties"]["type"]["enum"]}


@cache
def _registry() -> Registry:
    resource = DRAFT202012.create_resource(orjson.loads(_SPEC.read_bytes()))
    return Registry().with_resource(_URI, resource)


@cache
def _validator(schema_name: str) -> Draft202012Validator:
    schema = {"$ref": f"{_URI}#/components/schemas/{schema_name}"}
    return Draft202012Validator(schema, registry=_registry())
