"""Client names in the log, from the User-Agents of real programs."""

import pytest

from server.api.exchange.request_recorder import client_name

CHAT = "/v1/chat/completions"


@pytest.mark.parametrize(
    ("agent", "path", "name"),
    [
        ("curl/7.88.1", CHAT, "curl/7.88.1"),
        ("OpenAI/Python 2.20.0", CHAT, "OpenAI/Python 2.20.0"),
        ("AsyncOpenAI/Python 3.54.0", CHAT, "OpenAI/Python 3.54.0"),
        ("AsyncAnthropicBedrock/Python 2.12.0", "/v1/messages", "AnthropicBedrock/Python 2.12.0"),
        ("AsyncTools/2.1", CHAT, "AsyncTools/2.1"),
        ("Anthropic/JS 0.80.1", "/v1/messages", "Anthropic/JS 0.80.1"),
        ("opencode/1.18.33 ai-sdk/provider-utils/4.0.23 runtime/bun/1.3.14", CHAT, "opencode/1.18.33"),
        (
            "ai-sdk/openai-compatible/3.0.37 ai-sdk/provider-utils/5.0.30 runtime/bun/1.3.13",
            CHAT,
            "ai-sdk/openai-compatible/3.0.37",
        ),
        ("ls/JS 5.23.2", CHAT, "OpenAI/JS 5.23.2"),
        ("e$/JS 0.80.1", "/v1/messages", "Anthropic/JS 0.80.1"),
        ("codex_exec/0.169.0 (Debian 12.0.0; x86_64) dumb", "/v1/responses", "codex_exec/0.169.0"),
        ("Python/3.11 aiohttp/3.14.5", CHAT, "aiohttp/3.14.5"),
        ("Python/3.11 (linux)", CHAT, "Python/3.11"),
        ("Visual Studio Code", CHAT, "Visual Studio Code"),
        ("a" * 200, CHAT, "a" * 100),
        ("  ", CHAT, "unknown"),
    ],
)
def test_the_first_product(agent: str, path: str, name: str) -> None:
    assert client_name({"type": "http", "path": path, "headers": [(b"user-agent", agent.encode())]}) == name


def test_without_an_agent() -> None:
    assert client_name({"type": "http", "path": CHAT, "headers": []}) == "unknown"
