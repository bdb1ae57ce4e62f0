"""`dragoman doctor`: checks all that the server needs, and prints what to do about each problem."""

import argparse
import asyncio
import json
import logging
from dataclasses import asdict

from server.cli.checks import check_all
from server.config.arguments import settings_overrides
from server.config.settings import load_settings
from server.core.check import Check
from server.core.console import write_line
from server.core.errors import SettingsInvalid


def run(namespace: argparse.Namespace) -> int:
    """Print the checks. Returns 1 if one of them fails."""
    # The log would repeat the problems that the checks report.
    logging.basicConfig(level=logging.CRITICAL)
    checks = _run_checks(namespace)
    failed = any(check.status == "fail" for check in checks)
    if namespace.json:
        write_line(json.dumps({"ok": not failed, "checks": [asdict(check) for check in checks]}, indent=2))
    else:
        write_line("\n".join(_format_check(check) for check in checks))
    return 1 if failed else 0


def _run_checks(namespace: argparse.Namespace) -> list[Check]:
    try:
        settings = load_settings(settings_overrides(namespace))
    except SettingsInvalid as error:
        # The other checks need settings.
        return [Check("settings", "fail", error.message, error.hint)]
    return asyncio.run(check_all(settings))


def _format_check(check: Check) -> str:
    hint = f"\n      {check.hint}" if check.hint else ""
    return f"{check.status:<5} {check.name}: {check.detail}{hint}"
