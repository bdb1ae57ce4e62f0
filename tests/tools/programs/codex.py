"""Codex CLI: configured by its file, asked with `codex exec`."""

import base64
import json
from pathlib import Path

from tests.simulator import HttpError, Recorded, Stop, Text, ToolUse, client_tools, conversation, says
from tests.simulator.replies import Part
from tests.tools.programs import versions
from tests.tools.programs.program import Program
from tests.tools.programs.stage import Stage, client_of
from tests.tools.programs.trying import Failed, finished, run, tool_results

_EXEC = ("codex", "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox")
_PATCH = "*** Begin Patch\n*** Add File: made.txt\n+{word}\n*** End Patch"
_PNG = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGP4z8CAFWEXHbQSACj/P8Fu7N9hAAAAAElFTkSuQmCC"


def _set_up(stage: Stage) -> None:
    stage.configure(client_of("codex"))


def _reading(file: Path) -> ToolUse:
    return ToolUse("exec_command", {"cmd": f"cat {file.name}"})


def _calls(stage: Stage, words: str) -> list[Recorded]:
    """The calls that reached the model for a prompt with these words."""
    return [call for call in stage.simulator.messages_calls if words in str(call.body)]


def _script(stage: Stage, words: str, tool: str, arguments: dict[str, str]) -> None:
    """The model calls the tool whose name ends in `tool`, and is done when it has the result."""

    def reply(recorded: Recorded) -> Part:
        if tool_results(recorded):
            return Text("Done.")
        found = [one["name"] for one in client_tools(recorded) if one["name"].endswith(tool)]
        return ToolUse(found[0], arguments) if found else Text(f"There is no {tool}")

    stage.simulator.script(reply, when=lambda recorded: words in str(recorded.body))


def _check_made(stage: Stage, word: str, printed: str) -> None:
    made = stage.work / "made.txt"
    if not made.exists() or made.read_text(encoding="utf-8").strip() != word:
        raise Failed(f"the file was not made:\n{printed[-1500:]}")
    made.unlink()


def _patch(stage: Stage) -> None:
    """A freeform tool: its input is no JSON."""
    _script(stage, "Make the file with a patch", "apply_patch", {"input": _PATCH.format(word="patched")})
    _check_made(stage, "patched", run(stage, [*_EXEC, "Make the file with a patch"]))


def _code_mode(stage: Stage) -> None:
    """The newest model descriptions: tools in the input, and JavaScript that calls them.

    The catalogue of the Clients page replaces Codex's own, which has these models.
    """
    folder = stage.home / "code-mode"
    folder.mkdir()
    settings = (stage.home / ".codex" / "config.toml").read_text(encoding="utf-8").splitlines()
    kept = [line for line in settings if not line.startswith("model_catalog_json")]
    (folder / "config.toml").write_text("\n".join(kept), encoding="utf-8")
    patch = json.dumps(_PATCH.format(word="coded"))
    _script(stage, "Make the file with code", "exec", {"input": f"text(await tools.apply_patch({patch}))"})
    command = ["env", f"CODEX_HOME={folder}", *_EXEC, "-m", "gpt-5.6-sol", "Make the file with code"]
    _check_made(stage, "coded", run(stage, command))


def _resume(stage: Stage) -> None:
    stage.simulator.script(Text("I shall."), when=says("Remember the pear"))
    run(stage, [*_EXEC, "Remember the pear"])
    stage.simulator.script(Text("The pear."), when=says("Which fruit"))
    printed = run(stage, [*_EXEC, "resume", "--last", "Which fruit"])
    turns = conversation(_calls(stage, "Which fruit")[-1])
    if "The pear." not in printed or ("assistant", [{"type": "text", "text": "I shall."}]) not in turns:
        raise Failed(f"the conversation is {turns}:\n{printed[-1500:]}")


def _image(stage: Stage) -> None:
    (stage.work / "picture.png").write_bytes(base64.b64decode(_PNG))
    stage.simulator.script(Text("A square."), when=says("What is in the picture"))
    run(stage, [*_EXEC, "-i", "picture.png", "--", "What is in the picture"])
    _, blocks = conversation(_calls(stage, "What is in the picture")[-1])[-1]
    if [block["source"]["data"] for block in blocks if block["type"] == "image"] != [_PNG]:
        raise Failed(f"the picture did not arrive as it was: {blocks}")


def _schema(stage: Stage) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    schema["additionalProperties"] = False
    (stage.work / "schema.json").write_text(json.dumps(schema), encoding="utf-8")
    stage.simulator.script(Text('{"n": 5}'), when=says("Give me a number"))
    printed = run(stage, [*_EXEC, "--output-schema", "schema.json", "Give me a number"])
    sent = _calls(stage, "Give me a number")[-1].body["output_config"]["format"]["schema"]
    if sent != schema or '{"n": 5}' not in printed:
        raise Failed(f"the schema at the model is {sent}:\n{printed[-1500:]}")


def _error(stage: Stage) -> None:
    """An error that no repetition mends is told in words, after one request."""
    words = "This will not do"
    stage.simulator.script(HttpError(400, message="that is forbidden here"), when=says(words), times=9)
    try:
        printed = run(stage, [*_EXEC, words])
    except Failed as failure:
        printed = str(failure)
    requests = [record for record in stage.requests() if words in (record["request_body"] or "")]
    if "forbidden here" not in printed or len(requests) != 1:
        raise Failed(f"{len(requests)} requests, and it said:\n{printed[-1500:]}")


_ENDS: dict[str, tuple[list[Part] | HttpError, str, int]] = {
    "refusal": ([Text("I "), Stop("refusal")], "Claude declined to answer this request.", 1),
    "account": (HttpError(403), "refused", 1),
    "overloaded": (HttpError(529), "at capacity", 3),
    "cut": ([Text("I "), Stop("max_tokens")], "Incomplete response", 1),
}
"""Bad ends: the script, what Codex tells its user, and the number of its requests (the card allows two retries)."""


def _end_badly(stage: Stage) -> None:
    """Codex asks as often as the end deserves, and says why it stops."""
    for name, (script, words, requests) in _ENDS.items():
        task, before = f"End with: {name}.", len(stage.requests())
        stage.simulator.script(script, when=lambda recorded, task=task: task in str(recorded.body))
        done = finished(stage, [*_EXEC, task])
        if words not in done.stdout + done.stderr:
            raise Failed(f"{name}: Codex does not say {words!r}:\n{(done.stdout + done.stderr)[-1500:]}")
        if (sent := len(stage.requests()) - before) != requests:
            raise Failed(f"{name}: Codex sent {sent} requests instead of {requests}")


def _oss(stage: Stage, provider: str) -> None:
    """The built-in provider of Ollama or LM Studio, which sends no key."""
    words = f"Say it by {provider}"
    stage.simulator.script(Text("As you wish."), when=says(words))
    address = f"CODEX_OSS_BASE_URL={stage.connection.openai_url}"
    home = f"CODEX_HOME={stage.home / provider}"
    (stage.home / provider).mkdir()
    model = f"{stage.connection.model}:latest" if provider == "ollama" else stage.connection.model
    command = ["env", address, home, *_EXEC, "--oss", "--local-provider", provider, "-m", model, words]
    printed = run(stage, command)
    if "As you wish." not in printed:
        raise Failed(printed[-1500:])


CODEX = Program(
    name="codex",
    client="codex",
    package=versions.CODEX,
    set_up=_set_up,
    ask=lambda _, words: ["codex", "exec", "--skip-git-repo-check", words],
    reading=_reading,
    jobs={
        "patch": _patch,
        "code mode": _code_mode,
        "resume": _resume,
        "image": _image,
        "schema": _schema,
        "error": _error,
        "bad ends": _end_badly,
        "--oss ollama": lambda stage: _oss(stage, "ollama"),
        "--oss lmstudio": lambda stage: _oss(stage, "lmstudio"),
    },
)
