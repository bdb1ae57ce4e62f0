"""A turn that asks nobody: the CLI runs it against an address that leads nowhere, and it fails at once."""

from server.backends.claude_cli.chat.setup import ProcessSetup
from server.backends.claude_cli.transport.channel import Channel
from server.backends.claude_cli.transport.wire import Result, Streamed
from server.core.errors import ProcessDied, UpstreamFailed
from server.core.messages import Block

SILENT_TURN_SECONDS = 60.0
"""Longest silence in such a turn. It takes 0.1 s of one core."""


async def run_silent_turn(channel: Channel, setup: ProcessSetup, content: list[Block]) -> str:
    """Send a user line that nobody answers, and restore the API's address. Returns the line's uuid.

    Raises `ProcessDied`, `UpstreamTimeout`, and `UpstreamFailed` if it does not fail as it must; kill the process then.
    """
    setup.block_api()
    uuid = channel.start_turn(content)
    while not isinstance(item := await channel.next_item(SILENT_TURN_SECONDS), Result):
        if isinstance(item, ProcessDied):
            raise item
        if isinstance(item, Streamed):
            raise UpstreamFailed("Claude Code asked the API in a turn that must not reach it.")
    if not item.is_error:
        raise UpstreamFailed("Claude Code answered in a turn that must not reach the API.")
    channel.end_turn()
    setup.unblock_api()
    return uuid
