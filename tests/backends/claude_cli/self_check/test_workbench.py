"""Where a CLI is checked: nothing of the user's is within its reach."""

import asyncio

import orjson

from server.backends.claude_cli.self_check.answers import answer_with_text
from server.backends.claude_cli.self_check.dialogue import REQUEST
from server.backends.claude_cli.self_check.workbench import Workbench

OUTER = {
    "HOME": "/home/user",
    "XDG_CONFIG_HOME": "/home/user/.config",
    "CLAUDE_CONFIG_DIR": "/home/user/.claude",
    "ANTHROPIC_AUTH_TOKEN": "secret",
    "ANTHROPIC_API_KEY": "secret",
    "ANTHROPIC_BASE_URL": "https://api.example.com",
    "CLAUDE_CODE_OAUTH_TOKEN": "secret",
    "CLAUDE_CODE_USE_BEDROCK": "1",
    "AWS_PROFILE": "secret",
    "HTTPS_PROXY": "http://proxy.example.com",
    "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/user/1000/bus",
    "PATH": "/usr/bin",
}


def test_no_variable_leads_to_the_user_or_away_from_here(tmp_path):
    home = Workbench(tmp_path, tmp_path, OUTER).add_home()
    made = home.environment("http://127.0.0.1:9", {"MORE": "1"})
    inherited = {name for name, value in made.items() if OUTER.get(name) == value}
    assert inherited == {"PATH"}
    assert not any("secret" in value or "example.com" in value or "/home/user" in value for value in made.values())
    assert (made["HOME"], made["CLAUDE_CONFIG_DIR"], made["MORE"]) == (str(home.path), str(home.config), "1")
    assert made["ANTHROPIC_BASE_URL"] == made["HTTPS_PROXY"] == "http://127.0.0.1:9"


async def test_a_process_asks_nobody_but_the_stub(cli_path, tmp_path, made_home):
    bench = Workbench(cli_path, tmp_path / "bench", OUTER)
    async with bench.start_process() as process:
        await process.initialize(REQUEST)
        await process.ask("Hi", answer_with_text("msg_1", "Hello."))
        assert len(process.requests) == 1
        assert process.stub.strays == []
        assert process.requests[0].headers["x-api-key"] != "secret"
    assert process.channel.process.exited.is_set()
    assert not (made_home / ".claude" / ".claude.json").exists()


async def test_the_stub_refuses_what_is_no_part_of_the_check(tmp_path, cli_path):
    async with Workbench(cli_path, tmp_path / "bench", OUTER).start_process() as process:
        port = int(process.stub.url.rpartition(":")[2])
        for head, status in [("GET / HTTP/1.1", b"404"), ("CONNECT a:443 HTTP/1.1", b"404"), ("nonsense", b"")]:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"{head}\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
            assert (await reader.read()).split(b" ")[1:2] == ([status] if status else [])
            writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        body = orjson.dumps({"model": "m"})
        head = f"POST /v1/messages HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        assert b" 500 " in (await reader.read()).split(b"\r\n")[0], "nothing is scripted"
        writer.close()
        assert process.stub.strays == ["GET /", "CONNECT a:443"]
        assert [request.body for request in process.requests] == [{"model": "m"}]
