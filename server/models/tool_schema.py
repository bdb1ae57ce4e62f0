"""Translate tool schemas to JSON Schema 2020-12, as the API requires.

https://json-schema.org/draft/2020-12/schema. Clients send older drafts, OpenAPI's dialect and generators' output for
optional fields. A valid schema is returned equal, key for key. Other notations are translated. The rest is refused
here, because the API's error would name only the tool's number.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from server.core.errors import InvalidRequest
from server.models.schema_references import SCHEMA_KEYS, SCHEMA_LIST_KEYS, SCHEMA_MAP_KEYS, map_references

Schema = dict[str, Any]

_TYPES = ("string", "number", "integer", "boolean", "object", "array", "null")
_OTHER_TYPES: dict[str, str | None] = {
    "any": None, "str": "string", "text": "string", "date": "string", "datetime": "string", "int": "integer",
    "long": "integer", "float": "number", "double": "number", "decimal": "number", "bool": "boolean",
    "dict": "object", "map": "object", "struct": "object", "list": "array", "tuple": "array", "set": "array",
    "none": "null",
}  # fmt: skip
"""Type names of Python, Gemini and others; None means no restriction."""


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return _is_number(value) and value >= 0 and value == int(value)


def _is_step(value: Any) -> bool:
    return _is_number(value) and value > 0


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _is_names_by_name(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_names, value.values()))


_VALUES: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(("title", "description", "$comment", "$id", "$schema", "$ref", "$anchor"), (_is_text, "a string")),
    **dict.fromkeys(("pattern", "format", "contentEncoding", "contentMediaType"), (_is_text, "a string")),
    **dict.fromkeys(("readOnly", "writeOnly", "deprecated", "uniqueItems"), (_is_flag, "true or false")),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), (_is_number, "a number")),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), (_is_count, "a count")),
    **dict.fromkeys(("minProperties", "maxProperties", "minContains", "maxContains"), (_is_count, "a count")),
    **dict.fromkeys(("enum", "examples"), (_is_list, "a list")),
    "multipleOf": (_is_step, "a number above 0"),
    "required": (_is_names, "a list of names"),
    "dependentRequired": (_is_names_by_name, "lists of names by name"),
}
"""Checks of keyword values, and the expected kind in words."""

_NULL_IS_NOT_GIVEN = frozenset({*_VALUES, *SCHEMA_KEYS, *SCHEMA_LIST_KEYS, *SCHEMA_MAP_KEYS, "type", "additionalItems"})
_LARGEST_EXACT = 2**53
"""Claude Code is JavaScript: larger integers lose their last digits."""


@dataclass(slots=True)
class _Translation:
    """The translation of one schema; `changed` has the rewritten keywords."""

    changed: dict[str, None] = field(default_factory=dict)

    def translate_schema(self, schema: Any, path: str) -> Any:
        """Translate a subschema; true and false are schemas too. Raises InvalidRequest."""
        if isinstance(schema, bool):
            return schema
        if schema is None:
            return {}
        if not isinstance(schema, dict):
            raise _invalid_value(path, "an object")
        given = {key: value for key, value in schema.items() if value is not None or key not in _NULL_IS_NOT_GIVEN}
        self._modernise_keywords(given, path)
        return {key: self._translate_value(key, value, f"{path}.{key}") for key, value in given.items()}

    def _translate_value(self, key: str, value: Any, path: str) -> Any:
        if key in SCHEMA_KEYS:
            return self.translate_schema(value, path)
        if key in SCHEMA_LIST_KEYS:
            if not isinstance(value, list):
                raise _invalid_value(path, "a list of schemas")
            return [self.translate_schema(part, f"{path}.{number}") for number, part in enumerate(value)]
        if key in SCHEMA_MAP_KEYS:
            if not isinstance(value, dict):
                raise _invalid_value(path, "an object of schemas")
            return {name: self.translate_schema(part, f"{path}.{name}") for name, part in value.items()}
        if key in _VALUES and not _VALUES[key][0](value):
            raise _invalid_value(path, _VALUES[key][1])
        if any(isinstance(one, int) and abs(one) > _LARGEST_EXACT for one in _listed_values(value)):
            self.changed.setdefault(key)
        return value

    def _modernise_keywords(self, schema: Schema, path: str) -> None:
        """Translate the keywords of older drafts, in place."""
        if "type" in schema:
            self._translate_type(schema, path)
        if isinstance(anchor := schema.get("$id"), str) and anchor.startswith("#") and "$anchor" not in schema:
            # Up to draft 7, an id of this form was an anchor.
            schema["$anchor"] = self._drop_keyword(schema, "$id").removeprefix("#")
        for name in ("Minimum", "Maximum"):
            self._translate_exclusive(schema, f"exclusive{name}", name.lower())
        self._translate_tuple_items(schema)
        self._split_dependencies(schema)
        self._collect_required(schema)
        for key in SCHEMA_LIST_KEYS:
            if schema.get(key) == []:
                self._drop_keyword(schema, key)

    def _translate_type(self, schema: Schema, path: str) -> None:
        kind = schema["type"]
        wanted = kind if isinstance(kind, list) else [kind]
        if not all(isinstance(name, str) for name in wanted):
            raise _invalid_value(f"{path}.type", "a type's name or a list of them")
        if all(name in _TYPES for name in wanted) and wanted and len(set(wanted)) == len(wanted):
            return
        names = list(dict.fromkeys(_type_name(name, path) for name in wanted))
        self._drop_keyword(schema, "type")
        if names and None not in names:
            schema["type"] = names if isinstance(kind, list) else names[0]

    def _translate_exclusive(self, schema: Schema, exclusive: str, bound: str) -> None:
        """Translate draft 4's `exclusiveMinimum: true`, which excludes `minimum` itself."""
        if isinstance(schema.get(exclusive), bool):
            excluded = self._drop_keyword(schema, exclusive)
            if excluded and bound in schema:
                schema[exclusive] = schema.pop(bound)

    def _translate_tuple_items(self, schema: Schema) -> None:
        """Translate tuples up to draft 2019-09: `items` and `additionalItems`."""
        more = self._drop_keyword(schema, "additionalItems") if "additionalItems" in schema else None
        if isinstance(schema.get("items"), list):
            schema["prefixItems"] = self._drop_keyword(schema, "items")
            if more is not None:
                schema["items"] = more

    def _split_dependencies(self, schema: Schema) -> None:
        """Split draft 7's `dependencies` into `dependentRequired` and `dependentSchemas`."""
        if not isinstance(schema.get("dependencies"), dict):
            return
        for name, needs in self._drop_keyword(schema, "dependencies").items():
            key = "dependentRequired" if isinstance(needs, list) else "dependentSchemas"
            if isinstance(known := schema.get(key, {}), dict):  # otherwise refused under its own name
                schema[key] = {**known, name: needs}

    def _collect_required(self, schema: Schema) -> None:
        """Collect draft 3's `required: true` and remove duplicate names."""
        properties = schema.get("properties")
        if isinstance(schema.get("required"), bool):
            self._drop_keyword(schema, "required")
        names = schema.get("required", [])
        if isinstance(properties, dict) and _is_names(names):
            names = names + [name for name, part in properties.items() if _says_required(part)]
        if _is_names(names) and (unique := list(dict.fromkeys(names))) != schema.get("required", []):
            self.changed.setdefault("required")
            schema["required"] = unique

    def _drop_keyword(self, schema: Schema, key: str) -> Any:
        self.changed.setdefault(key)
        return schema.pop(key)


def modernise_schema(schema: Mapping[str, Any], path: str) -> tuple[Schema, list[str]]:
    """Return the schema in JSON Schema 2020-12, and the rewritten keywords.

    `path` names the schema in errors, such as `tools.0.input_schema`. A null keyword counts as not given and is dropped
    silently. Raises InvalidRequest with the path of a value that no draft allows.
    """
    translation = _Translation()
    translated: Schema = translation.translate_schema(dict(schema), path)
    if (definitions := translated.get("definitions")) is not None and "$defs" not in translated:
        translation.changed.setdefault("definitions")
        moved = {("$defs" if key == "definitions" else key): value for key, value in translated.items()}
        translated = map_references({**moved, "$defs": definitions}, _in_defs)
    if translation.changed and "2020-12" not in translated.get("$schema", "2020-12"):
        del translated["$schema"]
    return translated, list(translation.changed)


def _type_name(name: str, path: str) -> str | None:
    lowered = name.lower()
    if lowered in _TYPES:
        return lowered
    if lowered not in _OTHER_TYPES:
        raise _invalid_value(f"{path}.type", f"one of {', '.join(_TYPES)}")
    return _OTHER_TYPES[lowered]


def _listed_values(value: Any) -> Iterable[Any]:
    """Return the values of a list such as `enum`, or the single value."""
    return value if isinstance(value, list) else (value,)


def _says_required(part: Any) -> bool:
    return isinstance(part, dict) and part.get("required") is True


def _in_defs(reference: str) -> str:
    """Rewrite a reference to `definitions` as one to `$defs`."""
    return re.sub(r"^#/definitions(?=/)", "#/$defs", reference)


def _invalid_value(path: str, wanted: str) -> InvalidRequest:
    return InvalidRequest(
        f"{path} must be {wanted}.", param=path, hint="Tool schemas are JSON Schema 2020-12: correct it in the client."
    )
