"""The guide's offer to check for updates."""

import os
from collections.abc import AsyncIterator, Callable

import pytest

from tests.waiting import until
from tray_app.context import Context
from tray_app.pages.guide.update_offer import UpdateOffer
from tray_app.updates import built_in
from tray_app.updates.check import UpdateCheck
from tray_app.updates.feed import feed_of_repository


@pytest.fixture
async def with_feed(make_context: Callable[..., Context]) -> AsyncIterator[Context]:
    feed = feed_of_repository("https://github.com/o/n")
    context = make_context(updates=lambda context: UpdateCheck(context, lambda: feed))
    yield context
    await context.close()


async def test_it_is_off_and_names_the_host(with_feed: Context) -> None:
    offer = UpdateOffer(with_feed)
    assert not offer.isHidden()
    assert not offer.box.isChecked()
    assert "api.github.com" in offer.box.text()
    offer.box.click()
    await until(lambda: with_feed.settings.check_updates)
    assert offer.box.isChecked()
    await with_feed.change_settings({"check_updates": None})
    assert not offer.box.isChecked()
    offer.deleteLater()


async def test_a_choice_that_cannot_be_saved_is_taken_back(with_feed: Context) -> None:
    problems: list[object] = []
    with_feed.problem.connect(problems.append)
    offer = UpdateOffer(with_feed)
    file = with_feed.settings.settings_file
    file.write_text("this is no TOML")
    offer.box.click()
    await until(lambda: problems)
    await until(lambda: not offer.box.isChecked())
    offer.deleteLater()


async def test_it_is_hidden_where_it_has_no_effect(
    with_feed: Context, make_context: Callable[..., Context], monkeypatch: pytest.MonkeyPatch
) -> None:
    without = make_context(updates=lambda context: UpdateCheck(context, lambda: None))
    assert UpdateOffer(without).isHidden()
    await without.close()
    with monkeypatch.context() as patch:
        patch.setitem(os.environ, "DRAGOMAN_CHECK_UPDATES", "false")
        assert UpdateOffer(with_feed).isHidden()
    with monkeypatch.context() as patch:
        patch.setattr(built_in, "UPDATE_CHECKS", False)
        assert UpdateOffer(with_feed).isHidden()
