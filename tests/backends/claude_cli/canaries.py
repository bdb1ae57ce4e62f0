"""Marked texts in every file that Claude Code may read into a conversation.

Each text is `canary-` and the name of its source, which identifies it in a request. A hook outputs its canary for the
model and writes a file to `hooks` when it runs.
"""

import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from tests.simulator import Recorded

MARK = re.compile(rb"canary-[a-z0-9]+(?:-[a-z0-9]+)*")
HOOK_EVENTS = ("SessionStart", "UserPromptSubmit", "Stop")
MCP_SERVER = """
import json, sys

for line in sys.stdin:
    message = json.loads(line)
    result = {
        "initialize": {
            "protocolVersion": "2025-06-18",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "x", "version": "1"},
            "instructions": sys.argv[1],
        },
        "tools/list": {"tools": [{"name": "look", "description": sys.argv[1], "inputSchema": {"type": "object"}}]},
    }.get(message.get("method"), {})
    if "id" in message:
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
"""

VARIABLES = {
    "CLAUDE_CODE_EXTRA_BODY": '{"metadata": {"user_id": "canary-variable-extra-body"}}',
    "CLAUDE_CODE_EXTRA_METADATA": '{"x": "canary-variable-extra-metadata"}',
    "CLAUDE_CODE_APPEND_SYSTEM_PROMPT": "canary-variable-append-system-prompt",
    "CLAUDE_CODE_SUBAGENT_MODEL": "canary-variable-subagent-model",
    "CLAUDE_CODE_EFFORT_LEVEL": "low",
    "CLAUDE_CODE_MAX_OUTPUT_TOKENS": "4321",
    "MAX_THINKING_TOKENS": "2345",
    "CLAUDE_CODE_DISABLE_THINKING": "1",
    "CLAUDE_CODE_ENTRYPOINT": "canary-variable-entrypoint",
    "CLAUDE_AGENT_SDK_CLIENT_APP": "canary-variable-client-app",
    "CLAUDE_CODE_ADDITIONAL_DIRECTORIES": "/",
    "CLAUDE_CODE_ADDITIONAL_DIRECTORIES_CLAUDE_MD": "1",
    "CLAUDE_CODE_SESSION_ID": "11111111-2222-4333-8444-555555555555",
}
"""Variables of a server that is started in somebody's shell."""

ANTHROPIC_VARIABLES = {
    "ANTHROPIC_CUSTOM_HEADERS": "x-canary: canary-variable-custom-headers",
    "ANTHROPIC_BETAS": "canary-variable-betas",
    "ANTHROPIC_MODEL": "canary-variable-model",
    "ANTHROPIC_SMALL_FAST_MODEL": "canary-variable-small-fast-model",
    "ANTHROPIC_DEFAULT_MODEL": "canary-variable-default-model",
    "ANTHROPIC_DEFAULT_HAIKU_MODEL": "canary-variable-default-haiku-model",
    "ANTHROPIC_DEFAULT_HAIKU_MODEL_NAME": "canary-variable-default-haiku-name",
    "ANTHROPIC_DEFAULT_HAIKU_MODEL_DESCRIPTION": "canary-variable-default-haiku-description",
    "ANTHROPIC_CUSTOM_MODEL_OPTION": "canary-variable-custom-model-option",
    "ANTHROPIC_CUSTOM_MODEL_OPTION_NAME": "canary-variable-custom-model-name",
    "ANTHROPIC_CUSTOM_MODEL_OPTION_DESCRIPTION": "canary-variable-custom-model-description",
}


def find_canaries(*calls: Recorded) -> set[str]:
    """Sources whose canary is in the path, headers or body of these requests."""
    sent = (call.path.encode() + repr(call.headers).encode() + call.raw for call in calls)
    return {name for text in sent for name in find_canaries_in_text(text)}


def find_canaries_in_text(text: bytes) -> set[str]:
    """Sources whose canary is in this text."""
    return {mark.decode().removeprefix("canary-") for mark in MARK.findall(text)}


@dataclass
class Canaries:
    """The planted files. Each hook that has run leaves a file in the folder `hooks`."""

    config: Path
    home: Path
    work: Path
    hooks: Path
    parents: tuple[Path, ...] = ()
    programs: Path = field(init=False)

    def __post_init__(self) -> None:
        self.hooks.mkdir(parents=True)
        self.programs = self.hooks.parent / "programs"
        self.programs.mkdir()
        (self.programs / "server.py").write_text(MCP_SERVER)

    def plant(self) -> None:
        """Write every file."""
        self.settings(self.config / "settings.json", "user", outputStyle="user-style", language="canary-user-language")
        self.extensions(self.config, "user")
        write(self.config / "CLAUDE.md", "canary-user-memory")
        write(self.config / ".claude.json", orjson.dumps(self._global_settings()))
        write(self.home / "CLAUDE.md", "canary-home-memory")
        self._repository()
        for name, folder in {"cwd": self.work, **{f"parent{n}": at for n, at in enumerate(self.parents)}}.items():
            self._folder(folder, name)

    def hooks_run(self) -> set[str]:
        """Names of the hooks that have run."""
        return {file.name for file in self.hooks.iterdir()}

    def hook(self, name: str) -> dict[str, Any]:
        """The setting `hooks`, with hooks that output their canary."""
        program = write(
            self.programs / f"hook-{name}.py",
            f"import json, pathlib, sys\nevent = sys.argv[1]\n"
            f"pathlib.Path({str(self.hooks)!r}, '{name}-' + event).touch()\n"
            f"said = {{'hookEventName': event, 'additionalContext': 'canary-{name}-hook'}}\n"
            f"print(json.dumps({{'hookSpecificOutput': said}} if event != 'Stop' else {{}}))\n",
        )
        return {
            event: [{"hooks": [{"type": "command", "command": f'"{sys.executable}" "{program}" {event}'}]}]
            for event in HOOK_EVENTS
        }

    def mcp(self, name: str) -> dict[str, Any]:
        """The setting `mcpServers`, with a server whose tool has the canary as its description."""
        arguments = [str(self.programs / "server.py"), f"canary-{name}-mcp"]
        return {f"{name}-server": {"type": "stdio", "command": sys.executable, "args": arguments}}

    def _folder(self, folder: Path, name: str) -> None:
        """Write the files that Claude Code searches for in the working directory and above."""
        write(folder / "CLAUDE.md", f"canary-{name}-memory")
        write(folder / "CLAUDE.local.md", f"canary-{name}-local-memory")
        write(folder / "AGENTS.md", f"canary-{name}-agents-memory")
        write(folder / ".claude" / "CLAUDE.md", f"canary-{name}-inner-memory")
        write(folder / ".mcp.json", orjson.dumps({"mcpServers": self.mcp(name)}))
        self.settings(folder / ".claude" / "settings.json", f"{name}-project")
        self.settings(folder / ".claude" / "settings.local.json", f"{name}-local")
        self.extensions(folder / ".claude", name)

    def settings(self, file: Path, name: str, **more: Any) -> None:
        """A settings file and the memory folder that it names."""
        memory = write(self.programs.parent / f"memory-{name}" / "MEMORY.md", f"canary-{name}-auto-memory")
        settings = {
            "hooks": self.hook(name),
            "env": {
                "ANTHROPIC_CUSTOM_HEADERS": f"x-canary: canary-{name}-headers",
                "CLAUDE_CODE_EXTRA_BODY": f'{{"metadata": {{"user_id": "canary-{name}-extra-body"}}}}',
                "MAX_THINKING_TOKENS": "2345",
            },
            "enableAllProjectMcpServers": True,
            "autoMemoryEnabled": True,
            "autoMemoryDirectory": str(memory.parent),
            **more,
        }
        write(file, orjson.dumps(settings))

    def extensions(self, folder: Path, name: str) -> None:
        """Rules, output styles, skills, agents and commands."""
        about = f"---\nname: {name}-NAME\ndescription: canary-{name}-NAME\n---\ncanary-{name}-NAME-text\n"
        for kind, path in {
            "style": f"output-styles/{name}-style.md",
            "skill": f"skills/{name}-skill/SKILL.md",
            "agent": f"agents/{name}-agent.md",
            "command": f"commands/{name}-command.md",
        }.items():
            write(folder / path, about.replace("NAME", kind))
        write(folder / "rules" / f"{name}.md", f"canary-{name}-rule")

    def _global_settings(self) -> dict[str, Any]:
        project = {"hasTrustDialogAccepted": True, "mcpServers": self.mcp("project-entry")}
        return {
            "mcpServers": self.mcp("user"),
            "projects": {str(folder): project for folder in (self.work, *self.parents, self.home)},
            "hasCompletedOnboarding": True,
        }

    def _repository(self) -> None:
        """Make the home a git repository, as users do who keep their settings in one."""
        name, mail = ("user.name", "canary-git-user"), ("user.email", "x@example.com")
        for words in (
            ["init", "--initial-branch", "canary-git-branch"],
            ["config", *name],
            ["config", *mail],
            ["commit", "--allow-empty", "--message", "canary-git-commit"],
        ):
            subprocess.run(["git", *words], cwd=self.home, check=True, capture_output=True)

    def install_plugin(self, cli: Path, environment: Mapping[str, str]) -> None:
        """Install a plugin with every kind of content by Claude Code's own commands."""
        market = self.programs.parent / "market"
        plugin = market / "canary-plugin"
        entry = {"name": "p", "source": "./canary-plugin", "description": "p"}
        listing = {"name": "m", "owner": {"name": "x"}, "plugins": [entry]}
        write(market / ".claude-plugin" / "marketplace.json", orjson.dumps(listing))
        write(plugin / ".claude-plugin" / "plugin.json", orjson.dumps({"name": "p", "version": "1.0.0"}))
        write(plugin / "hooks" / "hooks.json", orjson.dumps({"hooks": self.hook("plugin")}))
        write(plugin / ".mcp.json", orjson.dumps({"mcpServers": self.mcp("plugin")}))
        self.extensions(plugin, "plugin")
        for words in (["marketplace", "add", str(market)], ["install", "p@m"]):
            command = [str(cli), "plugin", *words]
            subprocess.run(command, env=dict(environment), check=True, capture_output=True, timeout=120)


def write(path: Path, content: str | bytes) -> Path:
    """Write a file, with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path
