import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import dev
from tests.conftest import OutsideConnection
from tests.environment import made_environment

# A documentation address (RFC 5737): unreachable, should the guard fail.
OUTSIDE = "203.0.113.1"


def send_datagram():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"", (OUTSIDE, 9))


def test_nobodys_accounts_are_in_reach(made_home):
    assert not [name for name in os.environ if name.startswith(("ANTHROPIC_", "OPENAI_", "AWS_"))]
    assert [name for name in os.environ if name.startswith("CLAUDE")] == ["CLAUDE_CONFIG_DIR"]
    assert os.path.expanduser("~") == str(made_home)
    assert os.environ["PYTHON_KEYRING_BACKEND"] == "keyring.backends.fail.Keyring"


def test_the_made_environment_keeps_what_is_not_private(tmp_path):
    private = {
        "ANTHROPIC_API_KEY": "x",
        "CLAUDE_CODE_OAUTH_TOKEN": "x",
        "CLAUDECODE": "1",
        "https_proxy": "http://proxy.example",
        "NO_PROXY": "*",
        "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/bus",
    }
    made = made_environment(tmp_path, private | {"PATH": "/bin", "LANG": "C.UTF-8"})
    assert not private.keys() & made.keys()
    assert (made["PATH"], made["LANG"], made["HOME"]) == ("/bin", "C.UTF-8", str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "CLAUDE_CONFIG_DIR", "APPDATA"):
        assert tmp_path in Path(made[name]).parents
        assert Path(made[name]).is_dir()


def test_connections_to_this_machine_are_free(outside_connections):
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1])).close()
    assert not outside_connections


@pytest.mark.parametrize(
    "reach",
    [
        lambda: socket.create_connection((OUTSIDE, 9)),
        lambda: socket.getaddrinfo("api.example.com", 443),
        send_datagram,
    ],
)
def test_connections_to_elsewhere_are_refused(reach, outside_connections):
    with pytest.raises(OutsideConnection):
        reach()
    assert outside_connections
    outside_connections.clear()


def test_a_test_that_swallows_the_refusal_fails_all_the_same(tmp_path):
    (tmp_path / "test_inner.py").write_text(
        "import contextlib, socket\n"
        "def test_inner():\n"
        "    with contextlib.suppress(Exception):\n"
        f"        socket.create_connection(('{OUTSIDE}', 9))\n"
    )
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "--rootdir", str(tmp_path)]
    inner = subprocess.run([*command, str(tmp_path)], cwd=dev.ROOT, capture_output=True, text=True, check=False)
    assert inner.returncode == 1
    assert f"reached for hosts beyond this machine: {OUTSIDE}" in inner.stdout


def test_the_claude_program_is_there(cli_path, claude_environment):
    answer = subprocess.run([cli_path, "--version"], env=claude_environment, capture_output=True, text=True, check=True)
    assert "Claude Code" in answer.stdout


def test_the_environment_for_claude_leads_to_the_simulator(simulator, claude_environment):
    assert claude_environment["ANTHROPIC_BASE_URL"] == simulator.url
    assert claude_environment["HOME"] == os.environ["HOME"]
