"""Query the CLI's version, models and account. Makes no API request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server.backends.claude_cli.transport.channel import Channel
from server.backends.claude_cli.transport.command_line import build_command, build_environment
from server.backends.claude_cli.transport.user_settings import read_user_settings
from server.models.info import ModelInfo


@dataclass(frozen=True, slots=True)
class Probe:
    """The CLI's report. `account` may have `email`, `subscriptionType`, ..."""

    version: str
    signed_in: bool
    account: dict[str, Any] = field(default_factory=dict)
    models: tuple[ModelInfo, ...] = ()


async def run_probe(
    path: Path, directory: Path, outer: Mapping[str, str], *, load_user_settings: bool = False
) -> Probe:
    """Start a CLI in the empty `directory`, query it and end it.

    `outer` is the environment to select from. Raises `CliNotFound`, `ProcessDied`, `UpstreamTimeout`, `UpstreamFailed`.
    """
    user = read_user_settings(outer) if load_user_settings else None
    channel = await Channel.open(
        build_command(path, user),
        build_environment(outer, user),
        directory,
        on_limits=lambda limits: None,
        on_death=lambda: None,
    )
    try:
        return parse_probe(await channel.request_control("initialize", systemPrompt=[], hooks=None))
    finally:
        await channel.process.stop()


def parse_probe(answer: Mapping[str, Any]) -> Probe:
    """Convert the answer to `initialize` (SDKControlInitializeResponse)."""
    account = answer.get("account") or {}
    return Probe(
        version=str(answer.get("claude_code_version", "")),
        signed_in=_is_signed_in(account),
        account=account,
        models=tuple(_parse_models(answer.get("models") or [])),
    )


def _is_signed_in(account: Mapping[str, Any]) -> bool:
    if account.get("apiProvider", "firstParty") != "firstParty":
        return True
    # For a login in a file, CLI 2.1.330 reports the plan but no source.
    sources = (account.get("tokenSource"), account.get("apiKeySource"), account.get("subscriptionType"))
    return any(source not in (None, "", "none") for source in sources)


def _parse_models(rows: list[dict[str, Any]]) -> list[ModelInfo]:
    """Each model once, under its full id; the row `default` names the default."""
    default = next((row.get("resolvedModel") for row in rows if row.get("value") == "default"), None)
    return [
        ModelInfo(
            id=row.get("resolvedModel") or row["value"],
            name=row["value"],
            display_name=row.get("displayName", ""),
            description=row.get("description", ""),
            effort_levels=tuple(row.get("supportedEffortLevels") or ()),
            supports_thinking_off=row.get("supportsThinkingOff"),
            is_default=default is not None and row.get("resolvedModel") == default,
        )
        for row in rows
        if row.get("value") != "default"
    ]
