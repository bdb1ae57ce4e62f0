"""A client's file gets its settings, keeps the rest, and has a state."""

from dataclasses import replace
from typing import Any

import pytest

from tray_app.clients.catalogue import CLIENTS
from tray_app.clients.client import Client, Configuration
from tray_app.clients.configuring import configure_text, state_of
from tray_app.clients.connection import Connection, Limits
from tray_app.clients.editing import jsonc, toml, yaml

EDITORS = {"jsonc": jsonc, "toml": toml, "yaml": yaml}
CONFIGURED = [client for client in CLIENTS if client.configuration is not None]
each_client = pytest.mark.parametrize("client", CONFIGURED, ids=lambda client: client.id)

FILES = {
    "continue": """\
# my models
name: Mine   # the name
version: 0.0.1
schema: v1

models:
- name: Qwen          # at home
  provider: ollama
  model: "qwen3"
# rules come last
rules: []
""",
    "aider": "##########\n# Sample .aider.conf.yml\n#model: xxx\n\ndark-mode: true  # at night\n",
    "zed": """\
// Zed settings
{
  "theme": "One Dark",
  /* the agent */
  "language_models": {
    "ollama": { "api_url": "http://localhost:11434", }, // at home
  },
  "vim_mode": true,
}
""",
    "codex": 'approval_policy = "on-request" # careful\n\n[mcp_servers.docs]\ncommand = "npx"\n',
    "opencode": '{\n\t"$schema": "https://opencode.ai/config.json",\n\t"theme": "tokyonight" // dark\n}\n',
}


def configuration_of(client: Client) -> Configuration:
    assert client.configuration is not None
    return client.configuration


@each_client
def test_existing_lines_are_kept(client: Client, connection: Connection) -> None:
    before = FILES[client.id]
    after = configure_text(before, configuration_of(client), connection)
    # JSON requires a comma after the former last member.
    lines = after.replace('"tokyonight",', '"tokyonight"').splitlines()
    rest = iter(lines)
    assert all(line in rest for line in before.splitlines()), "a line is gone, or not where it was"
    assert connection.openai_url in after


@each_client
def test_configured_text_needs_no_change(client: Client, connection: Connection) -> None:
    configuration = configuration_of(client)
    for before in ("", FILES[client.id]):
        after = configure_text(before, configuration, connection)
        assert configure_text(after, configuration, connection) == after
        assert state_of(before, configuration, connection).kind == "absent"
        state = state_of(after, configuration, connection)
        assert (state.kind, state.models) == ("configured", ("sonnet",))


@each_client
def test_another_port_or_key_makes_it_outdated_until_updated(client: Client, connection: Connection) -> None:
    configuration = configuration_of(client)
    configured = configure_text(FILES[client.id], configuration, connection)
    moved = replace(connection, url="http://127.0.0.1:8001")
    assert state_of(configured, configuration, moved).kind == "outdated"
    updated = configure_text(configured, configuration, moved)
    assert updated == configured.replace(":8000", ":8001")
    assert state_of(updated, configuration, moved).kind == "configured"
    rotated = replace(connection, key="dgm-another")
    # Zed keeps the key elsewhere, so its file does not show a change.
    kind = "outdated" if configuration.holds_key else "configured"
    assert state_of(configured, configuration, rotated).kind == kind
    assert configure_text(configured, configuration, rotated) == configured.replace("dgm-the-key", "dgm-another")


@each_client
def test_without_a_key_it_is_configured_as_well(client: Client, connection: Connection) -> None:
    configuration = configuration_of(client)
    open_server = replace(connection, key=None)
    configured = configure_text("", configuration, open_server)
    assert state_of(configured, configuration, open_server).kind == "configured"
    assert (state_of(configured, configuration, connection).kind == "outdated") == configuration.holds_key


@each_client
def test_another_model(client: Client, connection: Connection) -> None:
    configuration = configuration_of(client)
    configured = configure_text("", configuration, connection)
    after = configure_text(configured, configuration, replace(connection, model="opus"))
    state = state_of(after, configuration, connection)
    assert state.kind == "configured"
    assert state.models[-1] == "opus"
    lists_models = client.id in ("zed", "opencode")
    assert state.models == (("sonnet", "opus") if lists_models else ("opus",))


def test_settings_of_the_user_for_the_model_are_kept(connection: Connection) -> None:
    configuration = configuration_of(next(client for client in CLIENTS if client.id == "continue"))
    mine = configure_text("", configuration, connection).replace("      - apply\n", "      - autocomplete\n")
    assert configure_text(mine, configuration, replace(connection, key="dgm-new")) == mine.replace(
        "dgm-the-key", "dgm-new"
    )


def test_another_server_in_aider_s_file_is_not_taken_for_this_one(connection: Connection) -> None:
    configuration = configuration_of(next(client for client in CLIENTS if client.id == "aider"))
    theirs = "openai-api-base: https://example.com/v1\nopenai-api-key: sk-theirs\nmodel: gpt-5\n"
    assert state_of(theirs, configuration, connection).kind == "absent"


@pytest.mark.parametrize(
    ("client", "said"),
    [
        ("opencode", {"limit": {"context": 1_000_000, "output": 128_000}, "attachment": True}),
        ("continue", {"defaultCompletionOptions": {"contextLength": 1_000_000, "maxTokens": 128_000}}),
        ("aider", {"edit-format": "diff", "show-model-warnings": False}),
    ],
)
def test_values_that_a_client_would_guess_wrong_are_set(
    client: str, said: dict[str, Any], connection: Connection
) -> None:
    configuration = configuration_of(next(one for one in CONFIGURED if one.id == client))
    connection = replace(connection, limits=Limits(1_000_000, 128_000))
    data: Any = EDITORS[configuration.format].load(configure_text("", configuration, connection))
    places = {"opencode": ("provider", "dragoman", "models", "sonnet"), "continue": ("models", 0), "aider": ()}
    for step in places[client]:
        data = data[step]
    assert {name: data[name] for name in said} == said
