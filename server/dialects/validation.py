"""Validation of request bodies with pydantic, shared by the dialects.

A body is described by TypedDicts and checked in strict mode. Members that they do not name are left out of the result
(`left_out.py` lists them).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NoReturn, TypeVar, get_args

from pydantic import Discriminator, GetCoreSchemaHandler, Tag, TypeAdapter, ValidationError
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, core_schema
from typing_extensions import get_type_hints

from server.core.errors import InvalidRequest

Body = TypeVar("Body")
Text = TypeVar("Text")
Other = TypeVar("Other")
Item = TypeVar("Item")

_BRANCH = "\0"
"""Begins the steps of a pydantic path that name a branch of a union, not a field."""
_OTHER = f"{_BRANCH}other"

TextOr = Annotated[
    Annotated[Text, Tag(f"{_BRANCH}text")] | Annotated[Other, Tag(_OTHER)],
    Discriminator(lambda value: f"{_BRANCH}text" if isinstance(value, str) else _OTHER),
]
"""`TextOr[A, B]`: strings are checked as A, everything else as B."""

_WANTED = {
    "string_type": "a string",
    "bool_type": "a boolean",
    "int_type": "an integer",
    "float_type": "a number",
    "list_type": "a list",
    "dict_type": "an object",
}


@dataclass(frozen=True, slots=True)
class ByMember:
    """Annotates a union of TypedDicts: the member `name`, a Literal, selects one.

    Unlike pydantic's own discriminator it adds no step to the paths of errors, and takes a `default` for objects
    without the member.
    """

    name: str
    default: str | None = None

    def __get_pydantic_core_schema__(self, union: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        branches = {
            f"{_BRANCH}{word}": handler.generate_schema(branch)
            for branch in get_args(union) or [union]
            for word in get_args(get_type_hints(branch)[self.name])
        }
        words = [branch.removeprefix(_BRANCH) for branch in branches]
        hint = f"It must be one of: {', '.join(words)}."

        def complete(value: Any) -> dict[str, Any]:
            if not isinstance(value, dict):
                refuse_value("must be an object", f"It is {quote_value(value)}.")
            if (word := value.get(self.name)) in words:
                return value
            if word is None and self.default is not None:
                return {**value, self.name: self.default}
            refuse_value("is missing" if word is None else f"is {quote_value(word)}", hint, member=self.name)

        schema = core_schema.tagged_union_schema(branches, lambda value: f"{_BRANCH}{value[self.name]}")
        return core_schema.no_info_before_validator_function(complete, schema)


@dataclass(frozen=True)
class _FailFast:
    """Equivalent of pydantic's `FailFast`, which is not hashable, so that a union cannot hold it."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return {**handler(source), "fail_fast": True}


ListOf = Annotated[list[Item], _FailFast()]
"""A list whose check ends at its first invalid item: a body may hold a million of them."""


@dataclass(frozen=True, slots=True)
class FromText:
    """Annotates a value that `read` makes of a string."""

    read: Callable[[str], Any]

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.read, core_schema.str_schema(strict=True))


def refuse_value(problem: str, hint: str = "", *, member: str = "") -> NoReturn:
    """Refuse a value, or its member of that name, from inside a validator.

    `problem` continues the sentence that the path of the field begins.
    """
    raise PydanticCustomError("refused", "{problem}", {"problem": problem, "hint": hint, "member": member})


def describe_error(error: ErrorDetails) -> InvalidRequest:
    """The error in OpenAI's manner: the field, what is wrong, and what to do."""
    value, context, kind = error["input"], error.get("ctx", {}), error["type"]
    path = _path_of((*error["loc"], *filter(None, [context.get("member")])))
    if kind == "refused":
        return invalid_field(path, context["problem"], context["hint"])
    if kind == "missing":
        return invalid_field(path, "is missing", "Add it.")
    if kind in _WANTED:
        wanted = f"a string or {_WANTED[kind]}" if error["loc"][-1:] == (_OTHER,) else _WANTED[kind]
        if value is None:
            return invalid_field(path, "is missing", f"It must be {wanted}.")
        return invalid_field(path, f"must be {wanted}", f"It is {quote_value(value)}.")
    match kind:
        case "literal_error":
            return invalid_field(path, f"is {quote_value(value)}", f"It must be {context['expected']}.")
        case "greater_than_equal":
            return _out_of_range(path, value, "min", context["ge"])
        case "less_than_equal":
            return _out_of_range(path, value, "max", context["le"])
        case "string_too_short" | "too_short":
            return invalid_field(path, "is empty", "Give it a value.")
        case "string_too_long":
            problem = f"has {len(value)} characters"
            return invalid_field(path, problem, f"At most {context['max_length']} are allowed.")
    return invalid_field(path, "is invalid", f"{error['msg'][:400]}.")


def check_body(
    adapter: TypeAdapter[Body], body: Any, describe: Callable[[ErrorDetails], InvalidRequest] = describe_error
) -> Body:
    """The named members of `body`. Raises what `describe` makes of the first error."""
    try:
        return adapter.validate_python(body, strict=True)
    except ValidationError as error:
        raise describe(error.errors(include_url=False)[0]) from None


def invalid_field(path: str, problem: str, hint: str) -> InvalidRequest:
    """The error for the field at `path`, or for the whole body if that is empty."""
    name = f"`{path}`" if path else "The request body"
    return InvalidRequest(f"{name} {problem}.", param=path or None, hint=hint)


def quote_value(value: object) -> str:
    """A client's value for an error text: 60 characters at most, all encodable."""
    if isinstance(value, dict | list):  # `repr` of nested ones may exceed the recursion limit.
        return "an object" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _out_of_range(path: str, value: Any, bound: Literal["min", "max"], limit: Any) -> InvalidRequest:
    side, sign = ("below", ">=") if bound == "min" else ("above", "<=")
    if isinstance(limit, float):
        return invalid_field(path, "is out of range", f"It must be {sign} {limit:g}.")
    wanted = f"{sign} {limit}"
    return InvalidRequest(  # In OpenAI's own words and with its code.
        f"Invalid '{path}': integer {side} {bound}imum value. Expected a value {wanted}, but got {value} instead.",
        param=path,
        code=f"integer_{side}_{bound}_value",
        hint=f"Send an integer {wanted}.",
    )


def _path_of(steps: tuple[int | str, ...]) -> str:
    fields = [step for step in steps if isinstance(step, int) or not step.startswith(_BRANCH)]
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in fields).removeprefix(".")
