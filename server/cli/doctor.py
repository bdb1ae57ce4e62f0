"""`dragoman doctor`: checks what the server needs, and says what to do where something is missing."""

import argparse
import asyncio
import json
import logging
from dataclasses import asdict

from server.cli.checks import Check, check_all
from server.cli.options import overrides
from server.config.settings import load_settings
from server.core.console import write_line
from server.core.errors import SettingsInvalid


def run(namespace: argparse.Namespace) -> int:
    """Print the checks; 1 if one of them fails."""
    # The checks say what is wrong; the log would say it a second time.
    logging.basicConfig(level=logging.CRITICAL)
    checks = _checks(namespace)
    failed = any(check.status == "fail" for check in checks)
    if namespace.json:
        write_line(json.dumps({"ok": not failed, "checks": [asdict(check) for check in checks]}, indent=2))
    else:
        write_line("\n".join(_line(check) for check in checks))
    return 1 if failed else 0


def _checks(namespace: argparse.Namespace) -> list[Check]:
    try:
        settings = load_settings(overrides(namespace))
    except SettingsInvalid as error:
        # Without settings it is not known what else to look at.
        return [Check("settings", "fail", error.message, error.hint)]
    return asyncio.run(check_all(settings))


def _line(check: Check) -> str:
    hint = f"\n      {check.hint}" if check.hint else ""
    return f"{check.status:<5} {check.name}: {check.detail}{hint}"
