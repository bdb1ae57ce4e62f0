import asyncio
import threading
from dataclasses import dataclass

import pytest

from server.core.errors import DragomanError
from server.core.events import EventBus, SessionsDeleted
from server.store.migrate import BACKUP, list_backups
from server.store.store import Store
from tests.store.conversations import exchange, saved_as
from tray_app.bridge import Bridge
from tray_app.models.sessions.list import SessionListModel
from tray_app.models.sessions.list_loader import SessionListLoader
from tray_app.models.sessions.pending_deletion import PendingDeletion, find_all_sessions


@dataclass
class Parts:
    """A store with the list model, its loader and a pending deletion."""

    store: Store
    bus: EventBus
    bridge: Bridge
    model: SessionListModel
    list_loader: SessionListLoader
    pending_deletion: PendingDeletion
    now: list[float]
    tasks: list
    resets: list

    def ids(self):
        return [session.id for session in self.model.sessions]

    async def save(self, session_id, *texts, **options):
        self.now[0] += 1
        await self.store.save_session(session_id, **saved_as(exchange(*texts)), **options)

    async def save_unnamed(self):
        """Save a session without an explicit id, with the checkpoint `ses_1`; return the session's id."""
        await self.save("ses_1", "Hello", "Hi", explicit=False)
        return (await self.store.find_summary("ses_1")).id

    async def load(self, search=""):
        self.list_loader.search = search
        self.list_loader.reload_list()
        await self.finish_tasks()

    async def finish_tasks(self):
        """Wait until all tasks are done and all events are delivered."""
        self.bridge.flush()
        while waiting := [task for task in self.tasks if not task.done()]:
            await asyncio.wait(waiting)
            for task in waiting:
                if not task.cancelled():
                    task.result()
            self.bridge.flush()


async def ids_of(store, search):
    return [summary.id for summary in await find_all_sessions(store, search)]


@pytest.fixture
async def parts(tmp_path, qapp):
    bus, now, tasks, loop = EventBus(), [1_000_000.0], [], asyncio.get_running_loop()
    store = await Store.open(tmp_path / "history.db", bus=bus, clock=lambda: now[0])
    bridge = Bridge(bus)
    model = SessionListModel(lambda: now[0])

    async def guarded(work, on_error):
        try:
            await work
        except DragomanError as error:
            on_error(error)

    def run(work, *, name, on_error):
        # `loop.create_task`, because Qt's timers may still fire after the test, when no loop is running.
        task = loop.create_task(guarded(work, on_error), name=name)
        tasks.append(task)
        return task

    list_loader = SessionListLoader(store, model, run, page=4)
    pending_deletion = PendingDeletion(store, model, run)
    bridge.sessions_changed.connect(list_loader.apply_events)
    pending_deletion.hidden.connect(list_loader.refresh_total)
    pending_deletion.restored.connect(list_loader.show_restored)
    resets = []
    model.modelReset.connect(lambda: resets.append(1))
    parts = Parts(store, bus, bridge, model, list_loader, pending_deletion, now, tasks, resets)
    yield parts
    await parts.finish_tasks()
    bridge.close()
    await store.close()


@pytest.fixture
async def listed(parts):
    """Six sessions: f e d c loaded, b a on the next page."""
    for at, name in enumerate("abcdef"):
        await parts.save(name, f"Hello {name}", f"Answer number {at}")
    await parts.finish_tasks()
    await parts.load()
    parts.resets.clear()
    return parts


async def test_the_latest_are_listed_first_and_the_next_page_on_demand(listed):
    assert (listed.ids(), listed.list_loader.total, listed.list_loader.state) == (list("fedc"), 6, "ready")
    listed.model.fetchMore()
    listed.model.fetchMore()
    await listed.finish_tasks()
    assert listed.ids() == list("fedcba")
    assert not listed.model.canFetchMore()
    assert not listed.resets


async def test_the_size_of_the_database_is_known(listed):
    assert listed.list_loader.size_bytes == await listed.store.size_bytes()
    assert listed.list_loader.size_bytes > 0


async def test_a_search_looks_into_titles_and_messages(listed):
    await listed.store.rename_session("b", "Shopping list")
    await listed.load("number 3")
    assert listed.ids() == ["d"]
    await listed.load("shopp")
    assert listed.ids() == ["b"]
    await listed.load("")
    assert listed.list_loader.total == 6


async def test_a_late_answer_does_not_overwrite_a_newer_one(listed):
    listed.list_loader.set_search("number 1")
    listed.list_loader.set_search("number 2")
    listed.model.more_wanted.emit()
    await listed.finish_tasks()
    assert (listed.ids(), listed.list_loader.total, len(listed.resets)) == (["c"], 1, 1)


async def test_a_page_that_comes_after_a_new_search_is_dropped(listed):
    listed.model.fetchMore()
    listed.list_loader.set_search("number 2")
    await listed.finish_tasks()
    assert listed.ids() == ["c"]
    await listed.load("")
    listed.model.fetchMore()
    await listed.finish_tasks()
    assert listed.ids() == list("fedcba")


async def test_a_new_session_comes_at_the_top_without_a_reset(listed):
    await listed.save("new", "Hello", "Hi")
    await listed.finish_tasks()
    assert (listed.ids(), listed.list_loader.total) == (["new", *"fedc"], 7)
    assert not listed.resets


async def test_several_new_sessions_stand_in_their_order(listed):
    for name in "xyz":
        await listed.save(name, "Hello", name)
    await listed.finish_tasks()
    assert listed.ids() == list("zyxfedc")


async def test_a_new_turn_changes_the_row_in_its_place(listed):
    await listed.save("d", "Hello d", "Answer number 3", "And?", "So.")
    await listed.finish_tasks()
    assert listed.ids() == list("fedc")
    assert listed.model.sessions[2].turns == 4
    assert not listed.resets


async def test_a_session_that_no_client_names_keeps_its_row(parts):
    session = await parts.save_unnamed()
    await parts.save("other", "Hello", "Oh")
    await parts.finish_tasks()
    await parts.load()
    parts.resets.clear()
    await parts.save("ses_2", "Hello", "Hi", "Go on", "Sure", explicit=False, prefix=2)
    await parts.save("ses_3", *["Hello", "Hi", "Go on", "Sure", "More", "No"], explicit=False, prefix=4)
    await parts.finish_tasks()
    assert (parts.ids(), parts.list_loader.total) == (["other", session], 2)
    assert parts.model.sessions[1].turns == 6
    assert not parts.resets


async def test_deleted_sessions_go_and_the_total_follows(listed):
    await listed.store.delete_sessions(["e", "a"])
    await listed.finish_tasks()
    assert (listed.ids(), listed.list_loader.total) == (list("fdc"), 4)
    assert not listed.resets


async def test_a_session_that_is_not_loaded_and_goes_on_comes_at_the_top(listed):
    await listed.save("a", "Hello a", "Answer number 0", "And?", "So.")
    await listed.finish_tasks()
    assert listed.ids() == list("afedc")
    listed.model.fetchMore()
    await listed.finish_tasks()
    assert listed.ids() == list("afedcb")


async def test_an_old_session_renamed_elsewhere_gets_its_title(listed):
    for at in range(60):
        await listed.save(f"later-{at}", "Hello", str(at))
    await listed.finish_tasks()
    await listed.store.rename_session("c", "Renamed")
    await listed.finish_tasks()
    assert listed.model.sessions[listed.model.row_of("c")].title == "Renamed"


async def test_what_is_new_is_listed_only_if_the_search_finds_it(listed):
    await listed.load("number")
    await listed.save("x", "A question", "Something else")
    await listed.save("y", "A question", "number 77")
    await listed.finish_tasks()
    assert listed.ids() == list("yfedc")
    assert listed.list_loader.total == 7


async def test_what_was_deleted_while_a_page_was_under_way_is_not_listed(listed):
    gate = threading.Event()
    held = listed.store._run_job(lambda _: gate.wait(60))
    waiting = asyncio.ensure_future(held)
    listed.list_loader.reload_list()
    await asyncio.sleep(0)  # the query has started, and the store has not answered yet
    listed.list_loader.apply_events([SessionsDeleted(("f",))])
    gate.set()
    await waiting
    await listed.finish_tasks()
    assert listed.ids() == list("edc")


async def test_a_search_ends_when_a_newer_one_begins(listed):
    gate = threading.Event()
    held = asyncio.ensure_future(listed.store._threads.browse(lambda _: gate.wait(60)))
    listed.list_loader.set_search("number 3")
    await asyncio.sleep(0)
    earlier = listed.tasks[-1]
    listed.list_loader.set_search("number 4")
    await asyncio.wait([earlier])  # while the store is still busy
    assert earlier.cancelled()
    gate.set()
    await held
    await listed.finish_tasks()
    assert (listed.ids(), listed.list_loader.state) == (["e"], "ready")


async def test_a_broken_database_is_a_problem_that_is_said(parts):
    await parts.save("a", "Hello", "Hi")
    await parts.load()
    await parts.store._run_job(lambda connection: connection.execute("ALTER TABLE sessions RENAME TO lost"))
    await parts.load()
    assert parts.list_loader.state == "failed"
    assert parts.list_loader.problem is not None


# Deleting


async def test_a_deletion_hides_at_once_in_the_list_and_in_the_store(listed):
    listed.pending_deletion.start_deletion(["e", "d"])
    assert (listed.ids(), listed.pending_deletion.pending_ids) == (list("fc"), ("e", "d"))
    await listed.finish_tasks()
    assert (await listed.store.list_sessions()).total == listed.list_loader.total == 4
    assert await listed.store.find_session("e") is None


async def test_undo_shows_them_again_and_nothing_is_deleted(listed):
    listed.pending_deletion.start_deletion(["e", "d"])
    listed.pending_deletion.undo_deletion()
    await listed.pending_deletion.finish_pending()
    await listed.finish_tasks()
    assert (listed.ids(), listed.pending_deletion.pending_ids) == (list("fedc"), ())
    assert (await listed.store.list_sessions()).total == listed.list_loader.total == 6


async def test_undo_brings_back_what_a_reload_has_left_out_meanwhile(listed):
    listed.pending_deletion.start_deletion(["e", "d"])
    await listed.finish_tasks()
    await listed.load()
    listed.pending_deletion.undo_deletion()
    await listed.finish_tasks()
    assert listed.ids() == list("fedc")


async def test_a_commit_deletes_them(listed):
    listed.pending_deletion.start_deletion(["e", "d"])
    listed.pending_deletion.commit_deletion()
    await listed.finish_tasks()
    assert (listed.ids(), listed.list_loader.total, listed.model.hidden_ids) == (list("fc"), 4, set())


async def test_finishing_commits_a_pending_deletion(listed):
    listed.pending_deletion.start_deletion(["e"])
    await listed.pending_deletion.finish_pending()
    assert await listed.store.find_session("e") is None


async def test_another_deletion_carries_out_the_first(listed):
    listed.pending_deletion.start_deletion(["e"])
    listed.pending_deletion.start_deletion(["d"])
    await listed.finish_tasks()
    assert listed.pending_deletion.pending_ids == ("d",)
    await listed.store.restore_sessions(["e", "d"])
    assert await listed.store.find_session("e") is None
    assert await listed.store.find_session("d") is not None


async def test_hidden_sessions_are_in_no_page_and_no_search(listed):
    listed.pending_deletion.start_deletion(["e", "a"])
    listed.model.fetchMore()
    await listed.finish_tasks()
    assert listed.ids() == list("fdcb")
    await listed.load("number")
    assert listed.ids() == list("fdcb")
    await listed.save("e", "Hello e", "Answer number 4", "And?", "So.")
    await listed.finish_tasks()
    assert listed.ids() == list("fdcb")
    assert listed.list_loader.total == 4


async def test_another_conversation_under_a_deleted_id_is_listed_and_stays(listed):
    listed.pending_deletion.start_deletion(["e"])
    await listed.finish_tasks()
    await listed.save("e", "Something else", "Entirely")
    await listed.pending_deletion.finish_pending()
    await listed.finish_tasks()
    assert "e" in listed.ids()
    assert (await listed.store.find_session("e")).messages[0]["content"][0]["text"] == "Something else"


async def test_a_session_that_goes_on_while_it_waits_is_deleted_with_its_turn(parts):
    session = await parts.save_unnamed()
    await parts.finish_tasks()
    await parts.load()
    parts.pending_deletion.start_deletion([session])
    await parts.save("ses_2", "Hello", "Hi", "Go on", "Sure", explicit=False, prefix=2)
    await parts.finish_tasks()
    assert (parts.ids(), parts.pending_deletion.pending_ids) == ([], (session,))
    await parts.pending_deletion.finish_pending()
    assert (await parts.store.list_sessions()).total == 0


async def test_undo_brings_it_back_with_the_turn(parts):
    session = await parts.save_unnamed()
    await parts.finish_tasks()
    await parts.load()
    parts.pending_deletion.start_deletion([session])
    await parts.save("ses_2", "Hello", "Hi", "Go on", "Sure", explicit=False, prefix=2)
    await parts.finish_tasks()
    parts.pending_deletion.undo_deletion()
    await parts.finish_tasks()
    assert [(summary.id, summary.turns) for summary in parts.model.sessions] == [(session, 4)]


async def test_a_session_that_went_on_just_before_the_commit_is_deleted_all_the_same(parts):
    session = await parts.save_unnamed()
    await parts.finish_tasks()
    await parts.load()
    parts.pending_deletion.start_deletion([session])
    await parts.save("ses_2", "Hello", "Hi", "Go on", "Sure", explicit=False, prefix=2)
    parts.pending_deletion.commit_deletion()  # the bridge has not delivered the event yet
    await parts.finish_tasks()
    assert parts.ids() == []
    assert (await parts.store.list_sessions()).total == 0


async def test_all_that_a_search_finds(listed):
    assert await ids_of(listed.store, "number 3") == ["d"]
    assert await ids_of(listed.store, "") == list("fedcba")


async def test_deleting_all_takes_the_copies_of_the_database_with_it(listed, tmp_path):
    (tmp_path / f"history.db{BACKUP}1").write_bytes(b"old")
    assert list_backups(listed.store.path)
    listed.pending_deletion.start_deletion(await ids_of(listed.store, ""), everything=True)
    await listed.pending_deletion.finish_pending()
    assert (await listed.store.list_sessions()).total == 0
    assert not list_backups(listed.store.path)


async def test_a_session_started_after_delete_all_stays(listed, tmp_path):
    """The copies are removed anyway: they are older than the new session."""
    (tmp_path / f"history.db{BACKUP}1").write_bytes(b"old")
    listed.pending_deletion.start_deletion(await ids_of(listed.store, ""), everything=True)
    await listed.save("new", "Hello", "Hi")
    await listed.pending_deletion.finish_pending()
    await listed.finish_tasks()
    assert listed.ids() == ["new"]
    assert not list_backups(listed.store.path)


async def test_a_deletion_that_fails_brings_the_rows_back(listed):
    failures = []
    listed.pending_deletion.failed.connect(failures.append)
    await listed.store._run_job(lambda connection: connection.execute("ALTER TABLE sessions RENAME TO lost"))
    listed.pending_deletion.start_deletion(["e"])
    await listed.pending_deletion.finish_pending()
    await listed.finish_tasks()
    assert listed.ids() == list("fedc")
    assert failures
