"""Codex CLI: configured by its file, asked with `codex exec`.

Its models differ in their tools: one that it does not know gets functions alone, `gpt-5.5` a freeform tool for patches,
and newer ones a freeform tool that runs JavaScript, in a namespace.
"""

from pathlib import Path

from tests.simulator import HttpError, Recorded, Stop, Text, ToolUse, client_tools
from tests.simulator.replies import Part
from tests.tools.programs import versions
from tests.tools.programs.program import Program
from tests.tools.programs.stage import Stage, client_of
from tests.tools.programs.trying import Failed, finished, run, tool_results

_PATCH = '*** Begin Patch\n*** Add File: made.txt\n+It says "{word}", ü and \\n.\n*** End Patch'
_EDITS = {
    "gpt-5.5": ("apply_patch", _PATCH.format(word="patch")),
    "gpt-5.6-sol": ("exec", f"text(await tools.apply_patch({_PATCH.format(word='code')!r}));"),
}
"""The freeform tools by model, and what the model writes."""


def _set_up(stage: Stage) -> None:
    stage.configure(client_of("codex"))


def _reading(file: Path) -> ToolUse:
    return ToolUse("exec_command", {"cmd": f"cat {file.name}"})


def _command(*options: str) -> list[str]:
    return ["codex", "exec", "--skip-git-repo-check", *options]


def edit_with_freeform_tools(stage: Stage) -> None:
    """Each kind of model makes a file by its own tool, whose input is no JSON."""
    for model, (tool, written) in _EDITS.items():
        task, made = f"Make a file with {model}.", stage.work / "made.txt"
        stage.simulator.script(
            lambda recorded, tool=tool, written=written: _edit(recorded, tool, written),
            when=lambda recorded, task=task: task in str(recorded.body),
        )
        said = run(stage, _command("-m", model, "--sandbox", "danger-full-access", task))
        if not made.exists() or "ü and \\n." not in made.read_text(encoding="utf-8"):
            raise Failed(f"{model} made no file with {tool}:\n{said[-1500:]}")
        made.unlink()


def _edit(recorded: Recorded, tool: str, written: str) -> Part:
    if results := tool_results(recorded):
        return Text(f"Done: {results}")
    names = [name for name in (one["name"] for one in client_tools(recorded)) if name.split("__")[-1] == tool]
    return ToolUse(names[0], {"input": written}, chunks=20) if names else Text("There is no such tool.")


_ENDS: dict[str, tuple[list[Part] | HttpError, str, int]] = {
    "refusal": ([Text("I "), Stop("refusal")], "Claude declined to answer this request.", 1),
    "account": (HttpError(403), "refused", 1),
    "overloaded": (HttpError(529), "at capacity", 5),
    "cut": ([Text("I "), Stop("max_tokens")], "Incomplete response", 1),
}
"""Bad ends: the script, what Codex tells its user, and the number of its requests."""


def end_badly(stage: Stage) -> None:
    """Codex asks as often as the end deserves, and says why it stops."""
    for name, (script, words, requests) in _ENDS.items():
        task, before = f"End with: {name}.", len(stage.requests())
        stage.simulator.script(script, when=lambda recorded, task=task: task in str(recorded.body))
        done = finished(stage, _command(task))
        if words not in done.stdout + done.stderr:
            raise Failed(f"{name}: Codex does not say {words!r}:\n{(done.stdout + done.stderr)[-1500:]}")
        if (sent := len(stage.requests()) - before) != requests:
            raise Failed(f"{name}: Codex sent {sent} requests instead of {requests}")


def try_further(program: Program, stage: Stage) -> None:
    """Freeform tools, then bad ends."""
    edit_with_freeform_tools(stage)
    end_badly(stage)


CODEX = Program(
    name="codex",
    client="codex",
    package=versions.CODEX,
    set_up=_set_up,
    ask=lambda _, words: _command(words),
    reading=_reading,
    further=try_further,
)
