"""A scripted Anthropic Messages API on a real socket: it records what reaches it and answers as scripted.

Start with `Simulator` (server.py); replies.py has what it can answer, views.py how to read what it recorded.
"""

from tests.simulator.gate import Gate, Hang
from tests.simulator.http_errors import HttpError, RateLimitHeaders, prompt_too_long
from tests.simulator.recording import Recorded
from tests.simulator.replies import (
    FIRST_DELTA,
    CitedText,
    Cut,
    Ping,
    Raw,
    RedactedThinking,
    Reply,
    ServerToolResult,
    ServerToolUse,
    Stop,
    StreamError,
    Text,
    Thinking,
    ToolUse,
)
from tests.simulator.server import Simulator
from tests.simulator.views import client_system, client_tools, conversation, last_user_text, says

__all__ = [
    "FIRST_DELTA",
    "CitedText",
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
    "ServerToolResult",
    "ServerToolUse",
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
