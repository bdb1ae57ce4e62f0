"""The session that a conversation is saved to, and its content."""

from uuid import uuid4

import pytest

from server.core.errors import InvalidRequest
from server.core.transcript import canonical_messages, split_prefix
from server.store import saving, sessions
from server.store.expiry import Expiry
from server.store.saving import turn_start
from server.store.titles import title_of
from tests.store.conversations import assistant, exchange, talk, user

NOW = Expiry(now=1000.0, ttl=100.0)
LATER = Expiry(now=1050.0, ttl=100.0)
SYSTEM = ("Be brief.",)


def save(connection, saved, session_id=None, *, moment=NOW, **options):
    """Save under the client's id or a new one; returns the id."""
    given = session_id is not None
    session_id = session_id if given else f"ses_{uuid4().hex}"
    saving.save_exchange(connection, moment, saved, session_id, explicit=given, **options)
    return session_id


def save_continuation(connection, saved, *, moment=NOW):
    """Save without an explicit id: with a new id and the number of earlier messages."""
    before, _ = split_prefix(saved.messages[:-1])
    return save(connection, saved, moment=moment, prefix=len(before))


def load(connection, session_id, moment=NOW):
    return sessions.load_session(connection, moment, session_id)


def texts(connection, session_id):
    return [message["content"][0]["text"] for message in load(connection, session_id).messages]


def rows(connection):
    return [tuple(row) for row in connection.execute("SELECT number, position, text, created_at FROM messages")]


def count(connection):
    return connection.execute("SELECT count(*) FROM sessions").fetchone()[0]


def test_a_conversation_comes_back_as_it_was(connection):
    messages = [
        user("look at this"),
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
                {"type": "text", "text": "I will.\0 \u2028"},
                {"type": "tool_use", "id": "t1", "name": "look", "input": {"b": [1, 2.5, None], "a": "é"}},
            ],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "seen"}]},
        assistant("Done."),
    ]
    saved = saving.FinishedExchange(("One.", "Two."), messages, "ide/1.0", "claude-opus-5-5", {})
    session = load(connection, save(connection, saved))
    assert list(session.messages) == messages
    assert session.system == ("One.", "Two.")
    assert session.summary.turns == 4


def test_the_summary(connection):
    usage = {
        "input_tokens": 10,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": None,
        "output_tokens": 7,
    }
    written = {**usage, "cache_creation_input_tokens": 1000}
    session_id = save(connection, exchange("Hello there", "Hi", **usage))
    assert load(connection, session_id).summary.input_tokens == 110
    longer = exchange("Hello there", "Hi", "Bye", "Bye", client="web/2", model="haiku", **written)
    session_id = save_continuation(connection, longer, moment=LATER)
    summary = load(connection, session_id).summary
    assert (summary.title, summary.client, summary.model) == ("Hello there", "web/2", "haiku")
    assert (summary.created_at, summary.last_used_at, summary.expires_at) == (1000.0, 1050.0, 1150.0)
    assert (summary.input_tokens, summary.output_tokens, summary.turns) == (1220, 14, 4)
    assert not summary.pinned


def listed(connection):
    return [row["id"] for row in connection.execute("SELECT id FROM sessions ORDER BY number")]


def session_of(connection, *session_ids):
    """Return the ids of the sessions."""
    return [sessions.load_summary(connection, NOW, session_id).id for session_id in session_ids]


class TestByPrefix:
    def test_a_conversation_that_goes_on_stays_one_session(self, connection):
        save_continuation(connection, exchange("a", "b"))
        save_continuation(connection, exchange("a", "b", "c", "d"))
        last = save_continuation(connection, exchange("a", "b", "c", "d", "e", "f"))
        assert texts(connection, last) == ["a", "b", "c", "d", "e", "f"]
        assert listed(connection) == session_of(connection, last)

    def test_each_id_is_that_of_the_conversation_as_it_was(self, connection):
        first = save_continuation(connection, exchange("a", "b"))
        second = save_continuation(connection, exchange("a", "b", "c", "d"))
        third = save_continuation(connection, exchange("a", "b", "c", "d", "e", "f"))
        assert texts(connection, first) == ["a", "b"]
        assert texts(connection, second) == ["a", "b", "c", "d"]
        assert len({first, second, third}) == 3
        summary = load(connection, first).summary
        assert (summary.id, summary.turns, summary.title) == (*session_of(connection, third), 2, "a")

    def test_going_on_by_an_earlier_id_makes_a_session_of_its_own(self, connection):
        first = save_continuation(connection, exchange("a", "b"))
        second = save_continuation(connection, exchange("a", "b", "c", "d"))
        save(connection, exchange("a", "b", "x", "y"), first)
        assert listed(connection) == [*session_of(connection, second), first]
        assert texts(connection, first) == ["a", "b", "x", "y"]
        assert texts(connection, second) == ["a", "b", "c", "d"]

    def test_what_a_client_has_named_is_taken_for_no_other_request(self, connection):
        save(connection, exchange("a", "b"), "bobs")
        own = save_continuation(connection, exchange("c", "d"))
        save(connection, exchange("c", "d", "e", "f"), own)  # the client got this id in the answer
        others = [
            save_continuation(connection, exchange("a", "b", "c", "d")),
            save_continuation(connection, exchange(*"cdefgh")),
        ]
        assert listed(connection) == ["bobs", *session_of(connection, own, *others)]
        assert len({*listed(connection)}) == 4
        assert texts(connection, "bobs") == ["a", "b"]
        assert texts(connection, own) == ["c", "d", "e", "f"]

    @pytest.mark.parametrize("rewritten", [exchange("A", "B"), exchange("a", "b", "c", "d", system=("Other.",))])
    def test_an_earlier_id_never_finds_what_was_rewritten(self, connection, rewritten):
        first = save_continuation(connection, exchange("a", "b"))
        second = save_continuation(connection, exchange("a", "b", "c", "d"))
        save(connection, rewritten, second)
        assert list(load(connection, second).messages) == rewritten.messages
        assert texts(connection, first) == ["a", "b"]
        assert load(connection, first).system == SYSTEM

    @pytest.mark.parametrize("rewritten", [exchange("A", "B"), exchange("a", "b", "c", "d", system=("Other.",))])
    def test_no_id_finds_what_was_rewritten_in_the_session_itself(self, connection, rewritten):
        first = save_continuation(connection, exchange("a", "b"))
        save(connection, rewritten, *session_of(connection, first))
        assert load(connection, first) is None

    def test_an_earlier_id_outlives_turns_by_the_later_one(self, connection):
        first = save_continuation(connection, exchange("a", "b"))
        second = save_continuation(connection, exchange("a", "b", "c", "d"))
        save(connection, exchange(*"abcdef"), second)
        assert texts(connection, first) == ["a", "b"]

    def test_an_edited_history_is_a_new_session(self, connection):
        save_continuation(connection, exchange("a", "b"))
        first = save_continuation(connection, exchange("a", "b", "c", "d"))
        fork = save_continuation(connection, exchange("a", "b", "other", "answer"))
        assert listed(connection) == session_of(connection, first, fork)
        assert len({*listed(connection)}) == 2
        assert texts(connection, first) == ["a", "b", "c", "d"]
        assert texts(connection, fork) == ["a", "b", "other", "answer"]

    def test_another_system_prompt_is_another_session(self, connection):
        first = save_continuation(connection, exchange("a", "b"))
        other = save_continuation(connection, exchange("a", "b", "c", "d", system=("Other.",)))
        assert listed(connection) == session_of(connection, first, other)
        assert texts(connection, first) == ["a", "b"]

    @pytest.mark.parametrize("prefix", [0, 1, 2, 4])
    def test_another_prefix_is_another_session(self, connection, prefix):
        first = save_continuation(connection, exchange("a", "b", "c"))
        other = save(connection, exchange("a", "b", "c", "d"), prefix=prefix)
        assert listed(connection) == session_of(connection, first, other)
        assert texts(connection, first) == ["a", "b", "c"]

    def test_an_answer_that_went_on_with_the_clients_words_is_a_new_session(self, connection):
        first = save_continuation(connection, exchange("a", "b"))
        prefilled = saving.FinishedExchange(SYSTEM, [*talk("a", "b"), assistant("c")], "ide", "model", {})
        second = save(connection, prefilled, prefix=2)
        assert listed(connection) == session_of(connection, first, second)
        assert texts(connection, first) == ["a", "b"]
        assert texts(connection, second) == ["a", "b", "c"]

    def test_two_clients_that_said_the_same_do_not_share_what_follows(self, connection):
        ids = [save_continuation(connection, exchange("hi", "hello")) for _ in range(2)]
        ids += [save_continuation(connection, exchange("hi", "hello", words, "yes")) for words in ("mine", "yours")]
        assert [texts(connection, session_id)[2:] for session_id in ids] == [[], [], ["mine", "yes"], ["yours", "yes"]]
        assert set(listed(connection)) == set(session_of(connection, *ids[2:])) == set(session_of(connection, *ids[:2]))
        assert len(listed(connection)) == 2

    def test_the_last_used_of_several_goes_on(self, connection):
        _, newest, _ = [
            save_continuation(connection, exchange("a", "b"), moment=Expiry(at, 100.0)) for at in (950.0, 990.0, 970.0)
        ]
        last = save_continuation(connection, exchange("a", "b", "c", "d"))
        assert session_of(connection, last) == [listed(connection)[1]]
        assert len(listed(connection)) == 3
        assert texts(connection, newest) == ["a", "b"]

    def test_an_expired_session_does_not_go_on(self, connection):
        first = save_continuation(connection, exchange("a", "b"))
        later = save_continuation(connection, exchange("a", "b", "c", "d"), moment=Expiry(1100.0, 100.0))
        assert len(listed(connection)) == 2
        assert texts(connection, later) == ["a", "b", "c", "d"]
        assert load(connection, first, Expiry(1100.0, 100.0)) is None

    def test_the_ids_of_an_expired_session_find_nothing(self, connection):
        first = save_continuation(connection, exchange("a", "b"))
        save_continuation(connection, exchange("a", "b", "c", "d"))
        assert load(connection, first, Expiry(1100.0, 100.0)) is None

    def test_the_same_history_in_other_words_goes_on(self, connection):
        save_continuation(connection, exchange("a b", "c"))
        again = [
            {"role": "user", "content": [{"type": "text", "text": "a "}, {"type": "text", "text": "b"}]},
            assistant("c"),
            user("d"),
            assistant("e"),
        ]
        last = save_continuation(connection, saving.FinishedExchange(SYSTEM, again, "ide", "model", {}))
        assert listed(connection) == session_of(connection, last)
        assert texts(connection, last) == ["a b", "c", "d", "e"]

    def test_messages_that_were_joined_are_not_stored_twice(self, connection):
        save(connection, saving.FinishedExchange(SYSTEM, [user("a"), user("b"), assistant("c")], "ide", "model", {}))
        joined = [
            {"role": "user", "content": [*user("a")["content"], *user("b")["content"]]},
            *talk("a", "c", "d", "e")[1:],
        ]
        last = save_continuation(connection, saving.FinishedExchange(SYSTEM, joined, "ide", "model", {}))
        assert listed(connection) == session_of(connection, last)
        assert texts(connection, last) == ["a", "b", "c", "d", "e"]
        assert load(connection, last).summary.turns == 5


class TestByName:
    def test_it_is_made_under_its_name(self, connection):
        assert save(connection, exchange("a", "b"), session_id="my.own:id_1-2") == "my.own:id_1-2"
        assert texts(connection, "my.own:id_1-2") == ["a", "b"]

    @pytest.mark.parametrize("name", ["", "a" * 129, "a b", "ä", "a/b", "a\n", "\0", "\udcff", "../x"])
    def test_a_bad_name_is_refused(self, connection, name):
        with pytest.raises(InvalidRequest) as caught:
            save(connection, exchange("a", "b"), session_id=name)
        assert caught.value.param == "session_id"
        assert count(connection) == 0

    def test_a_new_name_takes_no_session_over(self, connection):
        first = save_continuation(connection, exchange("a", "b"))
        save(connection, exchange("a", "b", "c", "d"), "mine", prefix=2)
        assert listed(connection) == [*session_of(connection, first), "mine"]

    def test_only_what_is_new_is_written(self, connection):
        save(connection, exchange("a", "b"), session_id="s")
        before = rows(connection)
        written = connection.total_changes
        save(connection, exchange("a", "b", "c", "d"), session_id="s", moment=LATER)
        assert rows(connection)[:2] == before
        assert [row[1:] for row in rows(connection)[2:]] == [(2, "c", 1050.0), (3, "d", 1050.0)]
        # One update and two messages with their entries in the search index, whatever the history's length.
        few = connection.total_changes - written
        save(connection, exchange(*"abcdefghijklmnopqrst"), session_id="long")
        written = connection.total_changes
        save(connection, exchange(*"abcdefghijklmnopqrstuv"), session_id="long")
        assert connection.total_changes - written == few

    def test_a_rewritten_history_replaces_the_stored_one(self, connection):
        save(connection, exchange("a", "b", "c", "d"), session_id="s")
        save(connection, exchange("A", "b", "new", "end"), session_id="s")
        assert texts(connection, "s") == ["A", "b", "new", "end"]
        assert load(connection, "s").summary.title == "A"
        assert count(connection) == 1

    def test_a_shorter_history_replaces_the_stored_one(self, connection):
        save(connection, exchange("a", "b", "c", "d"), session_id="s")
        save(connection, exchange("a", "b"), session_id="s")
        assert texts(connection, "s") == ["a", "b"]

    def test_the_same_again_changes_nothing(self, connection):
        save(connection, exchange("a", "b"), session_id="s")
        before = rows(connection)
        save(connection, exchange("a", "b"), session_id="s")
        assert rows(connection) == before

    def test_a_new_system_prompt_is_taken_over(self, connection):
        save(connection, exchange("a", "b"), session_id="s")
        before = rows(connection)
        save(connection, exchange("a", "b", "c", "d", system=("Other.",)), session_id="s")
        assert load(connection, "s").system == ("Other.",)
        assert rows(connection)[:2] == before

    def test_an_expired_one_begins_anew(self, connection):
        save(connection, exchange("old", "secret", input_tokens=5), session_id="s")
        save(connection, exchange("new", "life"), session_id="s", moment=Expiry(1100.0, 100.0))
        summary = load(connection, "s").summary
        assert texts(connection, "s") == ["new", "life"]
        assert (summary.created_at, summary.input_tokens) == (1100.0, 0)


class TestTitle:
    @pytest.mark.parametrize(
        ("text", "title"),
        [
            ("Hello", "Hello"),
            ("\n\n  First   line \n second", "First line"),
            ("tab\there\x00\x1b[0m", "tab here [0m"),
            ("x" * 80, "x" * 80),
            ("x" * 81, "x" * 79 + "…"),
            ("   ", ""),
        ],
    )
    def test_it_is_the_first_line(self, text, title):
        assert title_of([user(text)]) == title

    def test_it_is_the_users(self):
        image = {"role": "user", "content": [{"type": "image", "source": {}}]}
        assert title_of([image, assistant("Nice."), user("Thanks")]) == "Thanks"
        assert title_of([image]) == ""

    def test_it_is_no_note_of_a_program(self):
        notes = user("<environment_context>\n  <cwd>/tmp</cwd>\n</environment_context>")
        both = {"role": "user", "content": [*notes["content"], *user("Fix the tests")["content"]]}
        assert title_of([both]) == title_of([notes, user("Fix the tests")]) == "Fix the tests"
        assert title_of([notes]) == "<environment_context>"

    def test_it_comes_with_the_first_text(self, connection):
        image = {"role": "user", "content": [{"type": "image", "source": {}}]}
        for more in ([], [user("What is it?"), assistant("A cat.")]):
            messages = [image, assistant("Nice."), *more]
            save(connection, saving.FinishedExchange(SYSTEM, messages, "ide", "model", {}), session_id="s")
        assert load(connection, "s").summary.title == "What is it?"

    @pytest.mark.parametrize("later", [("a", "b", "c", "d"), ("other", "history")])
    def test_the_users_own_stays(self, connection, later):
        save(connection, exchange("a", "b"), session_id="s")
        sessions.set_title(connection, NOW, "s", "Mine")
        save(connection, exchange(*later), session_id="s")
        assert load(connection, "s").summary.title == "Mine"


@pytest.mark.parametrize("roles", ["", "u", "ua", "uua", "uuaau", "auua"])
def test_turns_begin_where_the_canonical_ones_do(roles):
    messages = [user(f"{at}") if role == "u" else assistant(f"{at}") for at, role in enumerate(roles)]
    turns = canonical_messages(messages)
    for number in range(len(turns) + 1):
        assert canonical_messages(messages[: turn_start(messages, number)]) == turns[:number]
    assert turn_start(messages, len(turns) + 1) is None


def test_a_failure_in_the_middle_leaves_nothing(connection):
    save(connection, exchange("a", "b"), session_id="s")
    before = rows(connection)
    odd = {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "n", "input": object()}]}
    saved = saving.FinishedExchange(SYSTEM, [*talk("a", "b", "c"), odd], "ide", "model", {})
    with pytest.raises(TypeError):
        save(connection, saved, session_id="s")
    assert rows(connection) == before
    assert not connection.in_transaction
