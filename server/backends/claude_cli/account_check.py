"""Checks of Claude Code without a running server: the program, its version and the account it uses."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from server.backends.claude_cli.transport.locate import locate_cli
from server.backends.claude_cli.transport.probe import run_probe
from server.config.own_commands import sign_in_hint
from server.core.check import Check
from server.core.errors import DragomanError


async def check_claude(claude_path: Path | None, *, load_user_settings: bool) -> list[Check]:
    """Check that Claude Code is installed, runs and is signed in. Makes no API request."""
    try:
        path = locate_cli(claude_path)
        with tempfile.TemporaryDirectory(prefix="dragoman-") as directory:
            found = await run_probe(path, Path(directory), os.environ, load_user_settings=load_user_settings)
    except DragomanError as error:
        return [Check("Claude Code", "fail", error.message, error.hint)]
    program = Check("Claude Code", "ok", f"{path}, version {found.version or 'unknown'}")
    if not found.signed_in:
        return [program, Check("account", "fail", "Claude Code is not signed in", sign_in_hint(path))]
    return [program, Check("account", "ok", account_kind(found.account))]


def account_kind(account: Mapping[str, Any]) -> str:
    """Name what pays for requests: a plan, an API key or a cloud provider. Field names are the CLI's."""
    provider = account.get("apiProvider") or "firstParty"
    if provider != "firstParty":
        return f"signed in through {provider}"
    if plan := account.get("subscriptionType"):
        return f"signed in with a plan ({plan})"
    source = account.get("apiKeySource")
    if source and source != "none":
        return f"signed in with an API key ({source})"
    variable = account.get("tokenSource", "none")
    return "signed in" if variable == "none" else f"signed in with {variable}"
