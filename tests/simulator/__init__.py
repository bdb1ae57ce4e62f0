"""A scripted Anthropic Messages API on a real socket: what reaches it is recorded, what it answers is scripted.

Start with `Simulator` (server.py); the replies are in replies.py, the views on what was recorded in views.py.
"""

from tests.simulator.recording import Recorded
from tests.simulator.replies import (
    FIRST_DELTA,
    Cut,
    Gate,
    Hang,
    HttpError,
    Ping,
    RateLimitHeaders,
    Raw,
    RedactedThinking,
    Reply,
    Stop,
    StreamError,
    Text,
    Thinking,
    ToolUse,
    prompt_too_long,
)
from tests.simulator.server import Simulator
from tests.simulator.views import client_system, client_tools, conversation, last_user_text, says

__all__ = [
    "FIRST_DELTA",
    "Cut",
    "Gate",
    "Hang",
    "HttpError",
    "Ping",
    "RateLimitHeaders",
    "Raw",
    "Recorded",
    "RedactedThinking",
    "Reply",
    "Simulator",
    "Stop",
    "StreamError",
    "Text",
    "Thinking",
    "ToolUse",
    "client_system",
    "client_tools",
    "conversation",
    "last_user_text",
    "prompt_too_long",
    "says",
]
