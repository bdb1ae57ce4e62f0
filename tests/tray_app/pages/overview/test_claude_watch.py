"""The reports about Claude Code while the server uses the real one."""

from pathlib import Path

import psutil

from server.core.events import CliChanged
from tests.waiting import until
from tray_app.pages.overview.claude_watch import ClaudeReport, ClaudeWatch, account_name


async def test_the_servers_own_answer_is_taken_while_it_starts(with_claude, cli_path):
    watch = ClaudeWatch(with_claude)
    await with_claude.server.start()
    await watch.check_again()
    assert watch.report.path == cli_path
    assert watch.report.signed_in is True
    assert watch.report.version == with_claude.server.cli.status().facts["version"]
    assert watch.report.problem is None


async def test_after_signing_in_the_parked_processes_are_new(with_claude):
    watch = ClaudeWatch(with_claude)
    await with_claude.server.start()
    pool = with_claude.server.cli.pool
    await until(lambda: pool.list_processes())
    [(before, *_)] = pool.list_processes()
    await watch.check_again(after_sign_in=True)
    await until(lambda: [pid for pid, *_ in pool.list_processes() if pid != before])
    await until(lambda: not psutil.pid_exists(before))
    assert watch.report.signed_in is True


async def test_a_claude_that_vanishes_is_missed(with_claude, tmp_path, cli_path):
    mine = tmp_path / "claude"
    mine.symlink_to(cli_path)
    await with_claude.change_settings({"claude_path": str(mine)})
    await with_claude.server.start()
    watch = ClaudeWatch(with_claude)
    await watch.check_again()
    assert watch.report.problem is None
    mine.unlink()
    await with_claude.server.cli.probe_cli()
    await until(lambda: watch.report.problem is not None)
    assert str(mine) in watch.report.problem.message


async def test_the_servers_report_is_used(context):
    """Even if the program on the disk differs: the server's report is newer, and is what its requests get."""
    watch = ClaudeWatch(context)
    context.bus.publish(CliChanged(None, None, None, {}, "Claude Code was not found.", "Install it."))
    context.bridge.flush()
    assert watch.report == ClaudeReport(problem=watch.report.problem)
    problem = watch.report.problem
    assert (problem.message, problem.hint) == ("Claude Code was not found.", "Install it.")
    context.bus.publish(CliChanged("/there/claude", "9.9.9", False, {}))
    context.bridge.flush()
    assert watch.report == ClaudeReport(Path("/there/claude"), "9.9.9", False)


def test_an_account_is_named_by_what_is_known():
    assert account_name({"email": "me@example.com"}) == "me@example.com"
    assert account_name({"email": "me@example.com", "organization": "Example"}) == "me@example.com, Example"
    assert account_name({"apiKeySource": "ANTHROPIC_API_KEY"}) == ""
