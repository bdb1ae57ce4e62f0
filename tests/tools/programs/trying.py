"""A program asked for an answer, and for what its own tool has to find out."""

import re
import secrets
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import orjson

from tests.simulator import Recorded, Text, ToolUse, client_tools, conversation, says
from tests.simulator.replies import Part
from tests.tools.programs.program import Program
from tests.tools.programs.stage import Stage, client_of

SECONDS = 180
QUESTION = "What is the word of the day?"
TASK = "Read notes.txt and say its word backwards."
WORD = re.compile(r"word-[0-9a-f]{8}")
CLI_SESSION = "x-claude-code-session-id"


class Failed(Exception):
    """The program did not do what it had to; the text says what, and what it printed."""


@dataclass
class Result:
    """Result of a program; a field is None if it could not be tried."""

    program: str
    version: str
    chat: bool | None = None
    tools: bool | None = None
    jobs: dict[str, bool] = field(default_factory=dict)
    called: set[str] = field(default_factory=set)
    warnings: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    @property
    def well(self) -> bool:
        """Whether nothing went wrong."""
        return not self.problems


def attempt(program: Program, stage: Stage, result: Result) -> None:
    """Do all that there is to do with a program, and write into `result` what became of it."""
    if not client_of(program.client).is_served:
        result.chat = _succeeds(result, _refusal, program, stage)
    else:
        result.chat = _succeeds(result, _chat, program, stage)
        if program.reading is not None:
            result.tools = _succeeds(result, _tools, program, stage)
        for name, job in program.jobs.items():
            result.jobs[name] = _does(result, name, job, stage)
    for record in stage.requests():
        result.called.add(record["client"])
        result.warnings.update(record["warnings"])
    if result.problems:
        result.problems.append("the server's log:\n" + stage.log.read_text(encoding="utf-8")[-1500:])


def _succeeds(result: Result, trial: Callable[[Program, Stage], None], program: Program, stage: Stage) -> bool:
    try:
        trial(program, stage)
    except Failed as failure:
        result.problems.append(f"{trial.__name__.strip('_')}: {failure}")
        return False
    return True


def _does(result: Result, name: str, job: Callable[[Stage], None], stage: Stage) -> bool:
    try:
        job(stage)
    except Failed as failure:
        result.problems.append(f"{name}: {failure}")
        return False
    return True


def _chat(program: Program, stage: Stage) -> None:
    word = _new_word()
    stage.simulator.script(Text(f"It is {word} today."), when=says(QUESTION))
    _expect(word, run(stage, program.ask(stage, QUESTION)))
    requests = stage.requests()
    if not any(record["status"] == "ok" and record["stream"] == program.streams for record in requests):
        raise Failed(f"none of its requests was {'streamed' if program.streams else 'whole'} and well")
    _check_histories(stage)


def _tools(program: Program, stage: Stage) -> None:
    assert program.reading is not None
    word, notes = _new_word(), stage.work / "notes.txt"
    notes.write_text(f"The word is {word}.\n", encoding="utf-8")
    call = program.reading(notes)
    stage.simulator.script(lambda recorded: step(recorded, call), when=lambda recorded: TASK in str(recorded.body))
    _expect(word[::-1], run(stage, program.ask(stage, TASK)))
    _check_round_trip(stage, call)


def step(recorded: Recorded, call: ToolUse) -> Part:
    """Script the model: call the tool and repeat its result. Requests without the tool are for titles."""
    if results := tool_results(recorded):
        found = WORD.search(str(results))
        return Text(f"It is {found[0][::-1]}." if found else f"There is no word in {results}")
    return call if call.name in {tool["name"] for tool in client_tools(recorded)} else Text("Notes")


def tool_results(recorded: Recorded) -> list[object]:
    """The results that the last turn of a request brings."""
    _, blocks = conversation(recorded)[-1]
    return [block for block in blocks if block["type"] == "tool_result"]


def _check_round_trip(stage: Stage, call: ToolUse) -> None:
    """The result came as one, after the call, to the CLI process that was waiting for it."""
    [second] = [one for one in stage.simulator.messages_calls if tool_results(one)]
    _check_histories(stage)
    turns = conversation(second)
    answers = [[block.get("name") for block in blocks] for role, blocks in turns if role == "assistant"]
    if answers != [[call.name]] or turns[-2][0] != "assistant":
        raise Failed(f"the conversation is {turns}")
    first = [one for one in stage.simulator.messages_calls if one.headers[CLI_SESSION] == second.headers[CLI_SESSION]]
    if len(first) < 2:
        raise Failed("the conversation went on in another process")


def _check_histories(stage: Stage) -> None:
    """Check that the history at the model equals what the program sent."""
    bodies = [record["request_body"] for record in stage.requests() if record["request_body"]]
    sent = [count_answers(orjson.loads(body)) for body in bodies]
    turns = [[role for role, _ in conversation(call)].count("assistant") for call in stage.simulator.messages_calls]
    # A program that leaves its history to the server sends new messages alone.
    if None not in sent and sorted(filter(None, sent)) != sorted(filter(None, turns)):
        raise Failed(f"requests with so many answers in them: {sent}; the model saw so many: {turns}")


_ANSWER_ITEMS = {"reasoning", "function_call", "custom_tool_call", "tool_search_call", "web_search_call"}


def count_answers(body: dict[str, Any]) -> int | None:
    """The answers in a body's history, in any dialect; None if the server keeps the history."""
    items = body.get("messages", body.get("input", ()))
    kept = body.get("previous_response_id") or body.get("conversation")
    if kept or any(isinstance(item, dict) and item.get("type") == "item_reference" for item in items):
        return None
    sides = [
        item.get("role") == "assistant" or item.get("type") in _ANSWER_ITEMS for item in items if isinstance(item, dict)
    ]
    return sum(now and not before for before, now in pairwise([False, *sides]))


def _refusal(program: Program, stage: Stage) -> None:
    """Check that a program with an unsupported API sends a request and shows the reason for its refusal."""
    done = _finished(stage, program.ask(stage, QUESTION))
    if "There is nothing at /v1/" not in done.stdout + done.stderr:
        raise Failed(f"it does not say what is missing:\n{_tail(done)}")


def run(stage: Stage, command: Sequence[str]) -> str:
    """Run a program in its directory; what it printed. Raises Failed."""
    done = _finished(stage, command)
    if done.returncode:
        raise Failed(f"{command[0]} ended with {done.returncode}:\n{_tail(done)}")
    return done.stdout + done.stderr


def _finished(stage: Stage, command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    path = shutil.which(command[0], path=stage.environment.get("PATH"))
    if path is None:
        raise Failed(f"{command[0]} is not on this machine")
    try:
        return subprocess.run(
            [path, *command[1:]], cwd=stage.work, env=dict(stage.environment), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, errors="replace", timeout=SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{command[0]} was not done after {SECONDS} s:\n{error.output!r}\n{error.stderr!r}") from error


def _expect(words: str, output: str) -> None:
    if words not in output:
        raise Failed(f"{words!r} is not in what it printed:\n{output[-1500:]}")


def _tail(done: "subprocess.CompletedProcess[str]") -> str:
    return (done.stdout + done.stderr)[-1500:]


def _new_word() -> str:
    return f"word-{secrets.token_hex(4)}"
