"""Interruption of a turn, so that its process can serve again."""

from contextlib import suppress

from server.backends.claude_cli.transport.channel import Channel, wait_for_answer
from server.backends.claude_cli.transport.wire import Result
from server.core.errors import ProcessDied, UpstreamFailed, UpstreamTimeout

INTERRUPT_SECONDS = 2.0
"""Longest silence while a turn is interrupted. Takes 25 ms on an idle computer."""


async def interrupt_turn(channel: Channel, *, begun: bool) -> Result | None:
    """End the running turn, and wait for its result. None if the CLI does not confirm the end, or has died.

    `begun` says whether the CLI has begun the turn. Otherwise the interrupt waits for the turn's first message: nothing
    says that the CLI heeds one before that, and the turn could run to its end.
    """
    answer = channel.send_control("interrupt") if begun else None
    with suppress(UpstreamTimeout, UpstreamFailed, ProcessDied):
        while not isinstance(item := await channel.next_item(INTERRUPT_SECONDS), Result):
            if isinstance(item, ProcessDied):
                return None
            answer = answer or channel.send_control("interrupt")
        # Race: the turn may have ended by itself. An interrupt that the CLI reads later would end the next turn.
        if answer is not None:
            await wait_for_answer(answer, "interrupt")
        return item
    return None
