"""The tools of a request under the flat names by which the model knows them.

Tools come in `tools` and in items of the input. A tool of a namespace is known to the model as `NAMESPACE__NAME`, and
comes back to the client under its own name, see `ResponseHead.tools`. Characters and lengths that the API does not take
are no concern here: `server.models.tool_names` replaces such names for every dialect.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from server.core.messages import Tool
from server.dialects.openai.web_search import TOOL_NAME, make_search_tool
from server.dialects.responses.definitions import (
    ClientDefinition,
    CustomTool,
    FunctionTool,
    HostedTool,
    ToolSearch,
    WebSearch,
)
from server.dialects.responses.definitions import Namespace as NamespaceDefinition
from server.dialects.responses.head import CUSTOM_INPUT, ClientTool
from server.dialects.validation import invalid_field, quote_value

Definition = FunctionTool | CustomTool | NamespaceDefinition | ToolSearch | WebSearch | HostedTool

WEB_SEARCH = ClientTool("web_search", TOOL_NAME)
TOOL_SEARCH = "tool_search"
_SEPARATOR = "__"
_NO_PARAMETERS: dict[str, Any] = {"type": "object", "properties": {}}


@dataclass(slots=True)
class ToolCatalog:
    """All tools that the model knows, and those of earlier calls, by flat name.

    `tools` are the defined ones, `clients` the same tools as the client knows them, and those of earlier calls that are
    defined no more. `namespaces` are descriptions by name, `left_out` says of tools why they are not served.
    """

    tools: dict[str, Tool] = field(default_factory=dict)
    clients: dict[str, ClientTool] = field(default_factory=dict)
    namespaces: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, None] = field(default_factory=dict)
    _flat: dict[ClientTool, str] = field(default_factory=dict)

    def add_sent(self, definitions: Sequence[Definition]) -> None:
        """Add the body's tools. Raises InvalidRequest for a name that is sent twice."""
        # Its name is fixed. A tool of the client's with that name gets another at the model.
        if any(map(_is_search, definitions)):
            self._assign_name(WEB_SEARCH)
        for index, definition in enumerate(definitions):
            for client, tool in self._read_definition(definition, "tools"):
                if client in self._flat and client != WEB_SEARCH:
                    problem = f"repeats the name {quote_value(client.name)}"
                    raise invalid_field(f"tools[{index}]", problem, "Give every tool its own name.")
                self._define(client, tool)

    def add_loaded(self, definitions: Sequence[Definition]) -> list[str]:
        """Add the tools of an item, and return their flat names. The latest definition of a tool counts."""
        pairs = [pair for definition in definitions for pair in self._read_definition(definition, "input.tools")]
        return [self._define(client, tool) for client, tool in pairs]

    def name_called(self, client: ClientTool) -> str:
        """The flat name for an earlier call.

        Clients may leave the namespace out, and the tool may be defined no more.
        """
        if client not in self._flat:
            same = [one for one in self._flat if (one.kind, one.name) == (client.kind, client.name)]
            if client.namespace is None and len(same) == 1:
                return self._flat[same[0]]
        return self._assign_name(client)

    def find_defined(self, name: str, namespace: str | None) -> list[str]:
        """The flat name of a defined function or custom tool; of namespaces without `namespace`, if only one has it."""
        named = {
            flat: tool
            for flat, tool in self.clients.items()
            if tool.name == name and flat in self.tools and tool != WEB_SEARCH
        }
        exact = [flat for flat, tool in named.items() if tool.namespace == namespace]
        return exact[:1] or (list(named) if namespace is None and len(named) == 1 else [])

    def describe_namespaces(self) -> list[str]:
        """The descriptions of namespaces, for the system prompt: flat tools have no place for them."""
        return [
            f"Tools whose names begin with `{name}{_SEPARATOR}`: {text.strip()}"
            for name, text in self.namespaces.items()
            if text.strip()
        ]

    def left_out_warnings(self) -> list[str]:
        """A warning for each type of tool that is not served."""
        return [f"{tools} and were left out" for tools in self.left_out]

    def _read_definition(self, definition: Definition, path: str) -> Iterator[tuple[ClientTool, Tool]]:
        match definition["type"]:
            case "function" | "custom":
                yield _read_client_definition(definition, None)
            case "namespace":
                self.namespaces[definition["name"]] = definition.get("description") or ""
                for inner in definition["tools"]:
                    yield _read_client_definition(inner, definition["name"])
            case "tool_search":
                # OpenAI's own search defers tools to save tokens: here all of them are known from the start.
                if definition.get("execution") == "client":
                    schema = definition.get("parameters") or _NO_PARAMETERS
                    yield ClientTool("tool_search", TOOL_SEARCH), _make_tool(definition.get("description"), schema)
            case (
                "web_search" | "web_search_2025_08_26" | "web_search_preview" | "web_search_preview_2025_03_11" as kind
            ):
                yield from self._read_search(definition, f"{path} of the type {kind}")
            case kind:
                self.left_out[f"{path} of the type {kind} run at OpenAI"] = None

    def _read_search(self, definition: WebSearch, described: str) -> Iterator[tuple[ClientTool, Tool]]:
        if definition.get("external_web_access") is False:
            self.left_out[f"{described} without access to the web are unknown to Claude"] = None
        elif self.clients.get(TOOL_NAME, WEB_SEARCH) != WEB_SEARCH:
            self.left_out[f"{described} have the name of a tool of the client's"] = None
        else:
            domains = (definition.get("filters") or {}).get("allowed_domains") or ()
            size, place = definition.get("search_context_size"), definition.get("user_location")
            yield WEB_SEARCH, make_search_tool(size, place, domains)

    def _define(self, client: ClientTool, tool: Tool) -> str:
        name = self._assign_name(client)
        self.tools[name] = {**tool, "name": name}
        return name

    def _assign_name(self, client: ClientTool) -> str:
        """The flat name, which depends on the order of tools only where two of them would have the same."""
        if (known := self._flat.get(client)) is not None:
            return known
        name = client.name if client.namespace is None else f"{client.namespace}{_SEPARATOR}{client.name}"
        if name in self.clients:
            identity = f"{client.kind}\0{client.namespace}\0{client.name}"
            name += "_" + hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        self._flat[client], self.clients[name] = name, client
        return name


def _is_search(definition: Definition) -> bool:
    return definition["type"].startswith("web_search")


def _read_client_definition(definition: ClientDefinition, namespace: str | None) -> tuple[ClientTool, Tool]:
    if definition["type"] == "function":
        client = ClientTool("function", definition["name"], namespace)
        return client, _make_tool(definition.get("description"), definition.get("parameters") or _NO_PARAMETERS)
    return ClientTool("custom", definition["name"], namespace), _make_custom_tool(definition)


def _make_custom_tool(definition: CustomTool) -> Tool:
    """A tool with one string: Claude calls tools with JSON, and the encoder takes the string out of it."""
    rule = f"`{CUSTOM_INPUT}` is freeform text, passed on exactly as written: no JSON, no code fences around it."
    if (wanted := definition.get("format")) is not None and wanted["type"] == "grammar":
        rule += f" The whole of it has to match this {wanted['syntax']} grammar:\n\n{wanted['definition']}"
    schema = {
        "type": "object",
        "properties": {CUSTOM_INPUT: {"type": "string"}},
        "required": [CUSTOM_INPUT],
        "additionalProperties": False,
    }
    return _make_tool("\n\n".join(filter(None, [definition.get("description"), rule])), schema)


def _make_tool(description: str | None, schema: dict[str, Any]) -> Tool:
    """A tool whose name is given by `ToolCatalog`."""
    if description is None:
        return Tool(name="", input_schema=schema)
    return Tool(name="", description=description, input_schema=schema)
