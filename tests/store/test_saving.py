"""Which session a conversation is saved to, and what is then in it."""

import pytest

from server.errors import InvalidRequest
from server.store import saving, sessions
from server.store.expiry import Expiry
from server.store.saving import title_of, turn_start
from server.transcript import canonical_messages, digest, split_prefix
from tests.store.conversations import assistant, exchange, talk, user

NOW = Expiry(now=1000.0, ttl=100.0)
LATER = Expiry(now=1050.0, ttl=100.0)
SYSTEM = ("Be brief.",)


def save(connection, saved, *, moment=NOW, **options):
    return saving.save(connection, moment, saved, **options)


def go_on(connection, saved, *, moment=NOW):
    """Save as the server does without an explicit id: by the digest of what was said before."""
    before, _ = split_prefix(saved.messages[:-1])
    prefix_digest = digest(saved.system, before) if before else None
    return save(connection, saved, moment=moment, prefix_digest=prefix_digest)


def found(connection, session_id, moment=NOW):
    return sessions.find(connection, moment, session_id)


def texts(connection, session_id):
    return [message["content"][0]["text"] for message in found(connection, session_id).messages]


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
    saved = saving.Exchange(("One.", "Two."), messages, "ide/1.0", "claude-opus-5-5", {})
    session = found(connection, save(connection, saved))
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
    session_id = save(connection, exchange("Hello there", "Hi", **usage))
    go_on(connection, exchange("Hello there", "Hi", "Bye", "Bye", client="web/2", model="haiku", **usage), moment=LATER)
    summary = found(connection, session_id).summary
    assert (summary.title, summary.client, summary.model) == ("Hello there", "web/2", "haiku")
    assert (summary.created_at, summary.last_used_at, summary.expires_at) == (1000.0, 1050.0, 1150.0)
    assert (summary.input_tokens, summary.output_tokens, summary.turns) == (220, 14, 4)
    assert not summary.pinned


class TestByPrefix:
    def test_a_conversation_that_goes_on_stays_one_session(self, connection):
        first = go_on(connection, exchange("a", "b"))
        assert go_on(connection, exchange("a", "b", "c", "d")) == first
        assert go_on(connection, exchange("a", "b", "c", "d", "e", "f")) == first
        assert texts(connection, first) == ["a", "b", "c", "d", "e", "f"]
        assert count(connection) == 1

    def test_an_edited_history_is_a_new_session(self, connection):
        first = go_on(connection, exchange("a", "b"))
        go_on(connection, exchange("a", "b", "c", "d"))
        fork = go_on(connection, exchange("a", "b", "other", "answer"))
        assert fork != first
        assert texts(connection, first) == ["a", "b", "c", "d"]
        assert texts(connection, fork) == ["a", "b", "other", "answer"]

    def test_another_system_prompt_is_another_session(self, connection):
        first = go_on(connection, exchange("a", "b"))
        assert go_on(connection, exchange("a", "b", "c", "d", system=("Other.",))) != first

    def test_without_a_digest_it_is_a_new_session(self, connection):
        assert save(connection, exchange("a", "b")) != save(connection, exchange("a", "b", "c", "d"))

    def test_a_digest_of_another_conversation_is_not_trusted(self, connection):
        first = go_on(connection, exchange("a", "b"))
        second = save(connection, exchange("x", "y", "z", "w"), prefix_digest=digest(SYSTEM, talk("a", "b")))
        assert second != first
        assert texts(connection, first) == ["a", "b"]

    def test_two_clients_that_said_the_same_do_not_share_what_follows(self, connection):
        one, other = save(connection, exchange("hi", "hello")), save(connection, exchange("hi", "hello"), moment=LATER)
        taken = go_on(connection, exchange("hi", "hello", "mine", "yes"))
        left = go_on(connection, exchange("hi", "hello", "yours", "no"))
        assert {taken, left} == {one, other}
        assert texts(connection, taken) == ["hi", "hello", "mine", "yes"]
        assert texts(connection, left) == ["hi", "hello", "yours", "no"]

    def test_an_expired_session_does_not_go_on(self, connection):
        first = go_on(connection, exchange("a", "b"))
        assert go_on(connection, exchange("a", "b", "c", "d"), moment=Expiry(1100.0, 100.0)) != first

    def test_the_same_history_in_other_words_goes_on(self, connection):
        first = go_on(connection, exchange("a b", "c"))
        again = [
            {"role": "user", "content": [{"type": "text", "text": "a "}, {"type": "text", "text": "b"}]},
            assistant("c"),
            user("d"),
            assistant("e"),
        ]
        saved = saving.Exchange(SYSTEM, again, "ide", "model", {})
        assert go_on(connection, saved) == first
        assert texts(connection, first) == ["a b", "c", "d", "e"]

    def test_messages_that_were_joined_are_not_stored_twice(self, connection):
        first = save(connection, saving.Exchange(SYSTEM, [user("a"), user("b"), assistant("c")], "ide", "model", {}))
        joined = [
            {"role": "user", "content": [*user("a")["content"], *user("b")["content"]]},
            *talk("a", "c", "d", "e")[1:],
        ]
        assert go_on(connection, saving.Exchange(SYSTEM, joined, "ide", "model", {})) == first
        assert texts(connection, first) == ["a", "b", "c", "d", "e"]
        assert found(connection, first).summary.turns == 5


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
        assert found(connection, "s").summary.title == "A"
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
        assert found(connection, "s").system == ("Other.",)
        assert rows(connection)[:2] == before
        assert sessions.match(connection, NOW, ("Other.",), talk(*"abcd")) == "s"

    def test_an_expired_one_begins_anew(self, connection):
        save(connection, exchange("old", "secret", input_tokens=5), session_id="s")
        save(connection, exchange("new", "life"), session_id="s", moment=Expiry(1100.0, 100.0))
        summary = found(connection, "s").summary
        assert texts(connection, "s") == ["new", "life"]
        assert (summary.created_at, summary.input_tokens) == (1100.0, 0)

    def test_replacing_writes_every_message_anew(self, connection):
        save(connection, exchange("a", "b"), session_id="s")
        save(connection, exchange("a", "b", "c", "d"), session_id="s", moment=LATER, replace=True)
        assert [row[1:] for row in rows(connection)] == [(at, text, 1050.0) for at, text in enumerate("abcd")]


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

    def test_it_comes_with_the_first_text(self, connection):
        image = {"role": "user", "content": [{"type": "image", "source": {}}]}
        for more in ([], [user("What is it?"), assistant("A cat.")]):
            messages = [image, assistant("Nice."), *more]
            save(connection, saving.Exchange(SYSTEM, messages, "ide", "model", {}), session_id="s")
        assert found(connection, "s").summary.title == "What is it?"

    @pytest.mark.parametrize("later", [("a", "b", "c", "d"), ("other", "history")])
    def test_the_users_own_stays(self, connection, later):
        save(connection, exchange("a", "b"), session_id="s")
        sessions.rename(connection, NOW, "s", "Mine")
        save(connection, exchange(*later), session_id="s")
        assert found(connection, "s").summary.title == "Mine"


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
    saved = saving.Exchange(SYSTEM, [*talk("a", "b", "c"), odd], "ide", "model", {})
    with pytest.raises(TypeError):
        save(connection, saved, session_id="s")
    assert rows(connection) == before
    assert not connection.in_transaction
