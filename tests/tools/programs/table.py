"""The printed table of results."""

from collections.abc import Sequence

from tests.tools.programs.trying import Result

HEAD = ("program", "version", "chat", "tools", "more", "called in the log", "warnings")


def table(results: Sequence[Result]) -> str:
    """The results as a table, and below it what went wrong."""
    rows = [HEAD, *(_row(result) for result in results)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    problems = [f"\n{result.program}: {problem}" for result in results for problem in result.problems]
    return "\n".join([*lines, *problems])


def _row(result: Result) -> tuple[str, ...]:
    said = "; ".join(sorted(result.warnings)) or "-"
    called = ", ".join(sorted(result.called)) or "-"
    more = ", ".join(f"{name} {_word(done)}" for name, done in result.jobs.items()) or "-"
    return (result.program, result.version, _word(result.chat), _word(result.tools), more, called, said)


def _word(verdict: bool | None) -> str:
    return {True: "ok", False: "FAILED", None: "-"}[verdict]
