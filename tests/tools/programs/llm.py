"""`llm`: OpenAI's API by its configuration file, Ollama's by its plugin."""

import json
from collections.abc import Sequence

from tests.simulator import ToolUse
from tests.tools.programs import versions
from tests.tools.programs.program import Program
from tests.tools.programs.stage import Stage

_FUNCTION = 'def read_file(path: str) -> str:\n    "Read a text file."\n    return open(path).read()\n'


def _set_up(stage: Stage) -> None:
    folder = stage.home / "llm"
    folder.mkdir(exist_ok=True)
    to = stage.connection
    entry = {"model_id": "dragoman", "model_name": to.model, "api_base": to.openai_url, "api_key_name": "dragoman"}
    # JSON is YAML too.
    models = json.dumps([{**entry, "supports_tools": True}])
    (folder / "extra-openai-models.yaml").write_text(models, encoding="utf-8")
    (folder / "keys.json").write_text(json.dumps({"dragoman": to.secret}), encoding="utf-8")


def _ask(stage: Stage, model: str, words: str) -> Sequence[str]:
    options = ["-m", model, "--functions", _FUNCTION, "--chain-limit", "4", words]
    scheme, _, host = stage.connection.url.partition("://")
    # The plugin has no setting for a key: a password in the address is one.
    address = f"{scheme}://key:{stage.connection.secret}@{host}"
    variables = [f"LLM_USER_PATH={stage.home / 'llm'}", f"OLLAMA_HOST={address}"]
    return ["env", *variables, "llm", *options]


def _program(name: str, model: str) -> Program:
    return Program(
        name=name,
        client="python",
        package=versions.LLM,
        set_up=_set_up,
        ask=lambda stage, words: _ask(stage, model, words),
        reading=lambda file: ToolUse("read_file", {"path": file.name}),
    )


LLM = (_program("llm", "dragoman"), _program("llm-ollama", "ollama/sonnet"))
