"""Detection of a changed CLI without a request."""

import os
import sys

import pytest

from server.backends.claude_cli.transport.watch import CliWatch
from server.core.errors import CliNotFound
from server.core.events import CliChanged, EventBus
from tests.backends.claude_cli.scripted_cli import WORDS
from tests.systems import posix_only
from tests.waiting import until

pytestmark = posix_only("a script as the program")

SAYS_WHO_IT_IS = """
login = os.path.join(os.environ["CLAUDE_CONFIG_DIR"], ".credentials.json")
account = {"tokenSource": "claude.ai", "email": open(login).read()} if os.path.exists(login) else {}
while True:
    line = hear()
    if line["type"] == "control_request":
        grant(line, account=account, models=[], claude_code_version=VERSION)
"""


def install(path, version="1"):
    """Install a program as an update does: a new file under the old name."""
    new = path.with_name("new")
    new.write_text(f"#!{sys.executable} -ISu\n{WORDS}\nVERSION = {version!r}\n{SAYS_WHO_IT_IS}")
    new.chmod(0o755)
    os.replace(new, path)


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "bin" / "claude"
    path.parent.mkdir()
    install(path)
    return path


@pytest.fixture
def login(tmp_path):
    (tmp_path / "claude-config").mkdir()
    return tmp_path / "claude-config" / ".credentials.json"


@pytest.fixture
def calls():
    return []


@pytest.fixture
def watch(program, login, calls):
    outer = {"CLAUDE_CONFIG_DIR": str(login.parent)}
    return CliWatch(program, outer, on_program=lambda: calls.append("program"), on_login=lambda: calls.append("login"))


def test_an_unchanged_cli_calls_nothing(watch, program, calls):
    watch.check_files()
    assert watch.locate() == program
    watch.check_files()
    assert calls == []


def test_a_program_that_is_updated_removed_and_put_back(watch, program, calls):
    watch.check_files()
    install(program, "22")
    watch.check_files()
    assert calls == ["program"]
    program.unlink()
    watch.check_files()
    watch.check_files()
    assert calls == ["program"] * 2
    with pytest.raises(CliNotFound):
        watch.locate()
    install(program)
    assert watch.locate() == program
    watch.check_files()
    assert calls == ["program"] * 3


def test_one_that_was_never_there_and_comes(watch, program, calls):
    program.unlink()
    watch.check_files()
    assert calls == []
    install(program)
    watch.check_files()
    assert calls == ["program"]


def test_a_login_that_comes_changes_and_goes(watch, login, calls):
    for change in (lambda: login.write_text("a"), lambda: login.write_text("other"), login.unlink):
        change()
        watch.check_files()
        watch.check_files()
    assert calls == ["login"] * 3


@pytest.mark.parametrize("name", ["HOME", "USERPROFILE"])
def test_where_the_login_is_without_a_directory_of_its_own(program, tmp_path, calls, name):
    watch = CliWatch(program, {name: str(tmp_path)}, on_program=lambda: None, on_login=lambda: calls.append("login"))
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude" / ".credentials.json").write_text("{}")
    watch.check_files()
    assert calls == ["login"]


@pytest.fixture
def published():
    return []


@pytest.fixture
async def watching(start_backend, program, login, published, monkeypatch):
    """A backend that checks often, with its published events."""
    monkeypatch.setattr("server.backends.claude_cli.backend.WATCH_SECONDS", 0.02)
    bus = EventBus()
    bus.subscribe(lambda event: published.append(event) if isinstance(event, CliChanged) else None)
    environment = {**os.environ, "CLAUDE_CONFIG_DIR": str(login.parent)}
    async with start_backend(environment=environment, bus=bus, claude_path=program, spares=1) as backend:
        await until(lambda: published and backend.pool.counts().spares == 1)
        yield backend


async def test_a_removed_and_a_new_program_are_published(watching, program, published):
    assert published == [CliChanged(str(program), "1", False, {})]
    before = watching.pool.list_processes()
    program.unlink()
    await until(lambda: len(published) == 2)
    assert published[1] == CliChanged(None, None, None, {}, published[1].problem, published[1].hint)
    assert f"{published[1].problem} {published[1].hint}" == watching.status().detail
    assert str(program) in published[1].problem
    assert not watching.status().ready
    await until(lambda: watching.pool.counts().spares == 0)
    install(program, "2")
    await until(lambda: len(published) == 3)
    assert published[2] == CliChanged(str(program), "2", False, {})
    await until(lambda: watching.pool.counts().spares == 1)
    assert watching.pool.list_processes()[0][0] != before[0][0]


async def test_signing_in_and_out_in_a_terminal_is_noticed(watching, login, published):
    for account in ("me@example.com", "you@example.com"):
        before = watching.pool.list_processes()
        login.write_text(account)
        await until(lambda account=account: published[-1].account.get("email") == account)
        assert published[-1].signed_in
        await until(lambda: watching.pool.counts().spares == 1)
        assert watching.pool.list_processes()[0][0] != before[0][0], "it was started as somebody else"
    login.unlink()
    await until(lambda: published[-1].signed_in is False)
    assert len(published) == 4


async def test_the_same_login_publishes_nothing_and_keeps_the_spares(watching, login, published):
    login.write_text("me@example.com")
    await until(lambda: published[-1].signed_in)
    await until(lambda: watching.pool.counts().spares == 1)
    before, probing = watching.pool.list_processes()[0][0], watching._probing
    os.utime(login, (1, 1))
    await until(lambda: watching._probing is not probing and watching._probing.done())
    assert len(published) == 2
    assert watching.pool.list_processes()[0][0] == before


async def test_a_failed_probe_is_repeated(watching, program, published, monkeypatch):
    monkeypatch.setattr("server.backends.claude_cli.backend.DEGRADED_PROBE_SECONDS", 0.05)
    watching._problem = CliNotFound("It seemed so.")
    await until(lambda: watching._problem is None)
