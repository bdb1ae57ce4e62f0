"""Checks of Claude Code without a running server: the program, its version and the account it uses."""

import asyncio
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from server.backends.claude_cli.self_check.findings import fast_paths_off, find_shortcomings
from server.backends.claude_cli.self_check.verdict_file import VERDICTS, CheckRecord, VerdictFile
from server.backends.claude_cli.transport.locate import locate_cli
from server.backends.claude_cli.transport.probe import Probe, run_probe
from server.config.own_commands import sign_in_hint
from server.core.check import Check
from server.core.errors import DragomanError


async def check_claude(
    claude_path: Path | None, *, load_user_settings: bool, data_dir: Path | None = None
) -> list[Check]:
    """Check that Claude Code is installed, runs and is signed in. Makes no API request.

    With `data_dir`, report the verdicts of its server's self-check too.
    """
    try:
        path = locate_cli(claude_path)
        with tempfile.TemporaryDirectory(prefix="dragoman-") as directory:
            found = await run_probe(path, Path(directory), os.environ, load_user_settings=load_user_settings)
    except DragomanError as error:
        return [Check("Claude Code", "fail", error.message, error.hint)]
    checks = [Check("Claude Code", "ok", f"{path}, version {found.version or 'unknown'}")]
    if found.signed_in:
        checks.append(Check("account", "ok", account_kind(found.account)))
    else:
        checks.append(Check("account", "fail", "Claude Code is not signed in", sign_in_hint(path)))
    if data_dir is not None:
        record = await asyncio.to_thread(VerdictFile(data_dir / VERDICTS).find_by_file, path)
        checks.append(report_verdicts(record, found))
    return checks


def report_verdicts(record: CheckRecord | None, found: Probe) -> Check:
    """Report what the self-check found about the program that was just probed."""
    name = "self-check"
    if record is None or record.program.version != found.version:
        return Check(name, "ok", "not run yet for this program; the server runs it once, when it is idle")
    if shortcomings := find_shortcomings(record.verdicts, signed_in=found.signed_in):
        detail = " ".join(f"{one.message} ({one.reason})" for one in shortcomings)
        return Check(name, "fail", detail, " ".join(dict.fromkeys(one.hint for one in shortcomings)))
    if off := fast_paths_off(record.verdicts, {}):
        names = "; ".join(f"{one} ({reason})" for one, reason in off.items())
        return Check(name, "warn", f"fast paths off: {names}", "Requests work without them, but slower.")
    return Check(name, "ok", "passed; all fast paths are used")


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
