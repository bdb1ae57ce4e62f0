"""JSON Schemas as clients send them, for property tests: valid ones of several drafts, and nearly valid ones."""

from typing import Any

from hypothesis import strategies as st

NAMES = st.sampled_from(["a", "b", "größe", "filter[name]", "$select", "a b", "日本", "x" * 70, "type", "required"])
TEXTS = st.sampled_from(["", "m²", "½ cup", "ﬁne\u200bprint", "x" * 5000, "plain", "{}"])
_TYPES = st.sampled_from(["string", "number", "integer", "boolean", "object", "array", "null"])
_OLD_TYPES = st.sampled_from(["any", "STRING", "int", "dict", "float"])


def _annotations(draw: Any) -> dict[str, Any]:
    chosen = draw(st.sets(st.sampled_from(["title", "description", "default", "enum", "format", "nullable", "x-own"])))
    values = {"title": TEXTS, "description": TEXTS, "default": st.none() | st.integers(-9, 9), "format": st.just("uri")}
    values |= {"enum": st.lists(TEXTS | st.none() | st.integers(-5, 5), min_size=1, max_size=3, unique=True)}
    return {key: draw(values.get(key, st.booleans())) for key in sorted(chosen)}


@st.composite
def parts(draw: Any, depth: int = 2, old: bool = True) -> dict[str, Any]:
    """A schema of a value. With `old`, forms of other drafts and nulls too."""
    kind = draw(_TYPES | _OLD_TYPES if old else _TYPES)
    schema: dict[str, Any] = {"type": kind, **_annotations(draw)}
    if kind in ("number", "integer", "int", "float"):
        schema["minimum"] = draw(st.integers(-10, 10))
        if old and draw(st.booleans()):
            schema["exclusiveMinimum"] = draw(st.booleans())
    if depth and kind in ("object", "dict"):
        schema["properties"] = draw(st.dictionaries(NAMES, parts(depth - 1, old), max_size=3))
        schema["required"] = draw(st.lists(NAMES, max_size=2, unique=not old))
    if depth and kind == "array":
        one = parts(depth - 1, old)
        schema["items"] = draw((one | st.lists(one, min_size=1, max_size=2)) if old else one)
    if old and draw(st.booleans()):
        schema[draw(st.sampled_from(["description", "enum", "items", "properties", "required", "pattern"]))] = None
    if depth and draw(st.integers(0, 4)) == 0:
        schema[draw(st.sampled_from(["anyOf", "oneOf", "allOf"]))] = draw(
            st.lists(parts(depth - 1, old), min_size=0 if old else 1, max_size=2)
        )
    return schema


@st.composite
def schemas(draw: Any, old: bool = True) -> dict[str, Any]:
    """A tool's schema. Without `old` it is JSON Schema 2020-12 and a plain object, as the API takes it."""
    properties = draw(st.dictionaries(NAMES, parts(old=old), max_size=4))
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if properties:
        schema["required"] = draw(st.lists(st.sampled_from(list(properties)), max_size=3, unique=not old))
    schema["additionalProperties"] = draw(st.booleans())
    if old and draw(st.booleans()):
        schema[draw(st.sampled_from(["anyOf", "oneOf", "allOf"]))] = draw(st.lists(parts(old=True), max_size=2))
    if old and draw(st.booleans()):
        schema[draw(st.sampled_from(["type", "required", "properties", "description"]))] = None
    return schema
