"""Codex's model catalogue: the models that it offers, and how it works with each.

The shape is that of `codex debug models --bundled` (Codex 0.171.0). An entry gives Codex its tool `apply_patch`, the
true window and the efforts of the model; for a name without an entry it warns and assumes 272,000 tokens.
"""

import json
from collections.abc import Iterable
from typing import Any

from server.models.name_parts import split_name
from tray_app.clients.connection import Connection, Limits, OfferedModel

_EFFORTS = ("low", "medium", "high")
"""The efforts that are offered for a model without efforts of its own: the server sets a thinking budget instead."""
_USUAL_EFFORT = "medium"

_DESCRIPTIONS = {
    "low": "Short thinking, fast answers",
    "medium": "Some thinking, for everyday tasks",
    "high": "Thorough thinking, for difficult tasks",
    "xhigh": "Long thinking, for the hardest tasks",
    "max": "As much thinking as the task can use",
}
_INSTRUCTIONS = """\
You are a coding agent that works in Codex CLI, in a terminal on the user's computer. You share a workspace with the \
user. Work on the task until it is done: look at the code, make the change, check it, and report.

# How to work
- Read before you write. Find files with `rg --files` and text with `rg`, and read what a change depends on.
- Follow AGENTS.md files: each applies to the folder that it is in, the deepest one takes precedence, and what the \
user says takes precedence over all of them.
- Make the smallest change that solves the problem at its root, in the style of the code around it. Leave unrelated \
problems alone, and mention them.
- The workspace may hold changes of the user's. Never revert what you did not write. Do not commit, and do not create \
branches, unless the user asks for it.
- Check your work with the project's own tests, formatter or build where there are any. Say what you could not check.

# Tools
- Run commands with the shell tool. Commands may run in a sandbox, and some need the user's approval: ask for it as \
the tool describes, with a reason in one sentence.
- Edit files with `apply_patch`. Do not write whole files with shell commands to change a few lines.
- Do not print large files: read the part that you need.
- For a task of several steps keep a plan, if there is a tool for it, and mark each step when it is done.

# Answers
- The user sees your text as plain text with a little Markdown, in a terminal. Be brief and concrete.
- Before a group of commands, say in a sentence what you are about to do.
- At the end say what you changed and where (`path:line`), what you checked, and what is left. Do not repeat files \
that you have written.
"""
_TOOL_OUTPUT_TOKENS = 10_000
_USABLE_PERCENT = 95


def make_catalogue(connection: Connection) -> str:
    """Return the text of the catalogue, with the chosen model first."""
    chosen = OfferedModel(connection.model, connection.model, connection.limits)
    known = {model.name: model for model in connection.models}
    models = {connection.model: known.get(connection.model, chosen), **known}
    entries = [_make_entry(model, priority) for priority, model in enumerate(models.values(), start=1)]
    return json.dumps({"models": entries}, indent=2, ensure_ascii=False) + "\n"


def usual_effort(model: str) -> str:
    """The effort that Codex asks for at first: the one that the name asks for (`opus:high`), if any."""
    return split_name(model)[1].effort or _USUAL_EFFORT


def compaction_limit(limits: Limits) -> int:
    """The tokens at which Codex compacts a conversation, so that there is room for the longest answer."""
    return max(limits.context - limits.output, limits.context // 2)


def _make_entry(model: OfferedModel, priority: int) -> dict[str, Any]:
    efforts = model.efforts or _EFFORTS
    return {
        "slug": model.name,
        "display_name": model.title,
        "description": "Claude, through Dragoman",
        "default_reasoning_level": usual_effort(model.name),
        "supported_reasoning_levels": _describe_efforts(efforts),
        "default_reasoning_summary": "auto",
        "shell_type": "unified_exec",
        "apply_patch_tool_type": "freeform",
        "web_search_tool_type": "text",
        "supports_search_tool": False,
        "experimental_supported_tools": [],
        "input_modalities": ["text", "image"],
        "visibility": "list",
        "supported_in_api": True,
        "priority": priority,
        "support_verbosity": False,
        "truncation_policy": {"mode": "tokens", "limit": _TOOL_OUTPUT_TOKENS},
        "context_window": model.limits.context,
        "max_context_window": model.limits.context,
        "effective_context_window_percent": _USABLE_PERCENT,
        "base_instructions": _INSTRUCTIONS,
    }


def _describe_efforts(efforts: Iterable[str]) -> list[dict[str, str]]:
    return [{"effort": effort, "description": _DESCRIPTIONS.get(effort, effort)} for effort in efforts]
