"""The alias table model."""

import pytest
from PySide6.QtCore import Qt
from pytestqt.modeltest import ModelTester

from tray_app.models.aliases import NAME, TARGET, AliasModel, ProblemRole


@pytest.fixture
def model(qtmodeltester: ModelTester) -> AliasModel:
    model = AliasModel({"gpt-4.1": "opus", "my-model": "haiku"})
    qtmodeltester.check(model)
    return model


def _type(model: AliasModel, place: int, column: int, text: str) -> None:
    model.setData(model.index(place, column), text)


def _edits(model: AliasModel) -> list[dict[str, str]]:
    edits: list[dict[str, str]] = []
    model.edited.connect(lambda: edits.append(model.aliases()))
    return edits


def test_it_shows_name_and_model(model: AliasModel) -> None:
    assert [model.index(0, column).data() for column in (NAME, TARGET)] == ["gpt-4.1", "opus"]
    assert model.headerData(TARGET, Qt.Orientation.Horizontal) == "Claude model"


def test_a_changed_row_is_in_force_at_once(model: AliasModel) -> None:
    edits = _edits(model)
    _type(model, 0, TARGET, " sonnet ")
    _type(model, 1, NAME, "ours")
    assert edits == [{"gpt-4.1": "sonnet", "my-model": "haiku"}, {"gpt-4.1": "sonnet", "ours": "haiku"}]


def test_a_new_row_is_in_force_when_it_is_complete(model: AliasModel) -> None:
    edits = _edits(model)
    place = model.add_row()
    assert model.row_problem(place) == ""
    _type(model, place, NAME, "new")
    assert "new" in model.row_problem(place)
    assert edits == []
    _type(model, place, TARGET, "opus")
    assert edits == [{"gpt-4.1": "opus", "my-model": "haiku", "new": "opus"}]
    assert model.list_problems() == []


def test_there_is_one_empty_row_at_most(model: AliasModel) -> None:
    assert model.add_row() == model.add_row()


def test_a_duplicate_stays_as_it_was_typed_and_the_old_pair_stays_in_force(model: AliasModel) -> None:
    edits = _edits(model)
    _type(model, 1, NAME, "GPT-4.1")
    assert model.index(1, NAME).data() == "GPT-4.1"
    assert "already" in model.index(1, NAME).data(ProblemRole)
    assert model.index(0, NAME).data(ProblemRole) == ""
    assert model.aliases() == {"gpt-4.1": "opus", "my-model": "haiku"}
    assert not model.is_complete
    assert edits == []


def test_a_duplicate_is_in_force_once_the_other_one_gives_way(model: AliasModel) -> None:
    _type(model, 1, NAME, "gpt-4.1")
    _type(model, 0, NAME, "older")
    assert model.aliases() == {"older": "opus", "gpt-4.1": "haiku"}
    assert model.is_complete


@pytest.mark.parametrize("column", [NAME, TARGET])
def test_an_emptied_cell_keeps_the_pair_in_force_and_says_what_is_missing(model: AliasModel, column: int) -> None:
    _type(model, 0, column, "")
    assert model.list_problems() != []
    assert model.aliases()["gpt-4.1"] == "opus"


def test_rows_are_removed(model: AliasModel) -> None:
    edits = _edits(model)
    model.remove_rows([0])
    assert edits == [{"my-model": "haiku"}]
    model.remove_rows([0])
    assert model.rowCount() == 0


def test_removing_an_empty_row_changes_nothing(model: AliasModel) -> None:
    edits = _edits(model)
    model.remove_rows([model.add_row()])
    assert edits == []


def test_another_table_is_shown_and_is_no_edit(model: AliasModel) -> None:
    edits = _edits(model)
    model.show_aliases({"a": "b"})
    assert model.index(0, NAME).data() == "a"
    assert edits == []


def test_the_same_table_resets_nothing(model: AliasModel) -> None:
    resets: list[None] = []
    model.modelReset.connect(lambda: resets.append(None))
    model.show_aliases(model.aliases())
    assert resets == []


def test_it_passes_qts_model_tester_after_edits(model: AliasModel, qtmodeltester: ModelTester) -> None:
    qtmodeltester.check(model)
    model.add_row()
    model.remove_rows([1])
    model.show_aliases({})
    assert model.rowCount() == 0


def test_a_chain_is_in_force_once_it_is_whole(model: AliasModel) -> None:
    edits = _edits(model)
    _type(model, 0, TARGET, "opus >")
    assert "each “>” for gpt-4.1" in model.row_problem(0)
    _type(model, 1, NAME, "a > b")
    assert "without “>”" in model.row_problem(1)
    assert edits == []
    _type(model, 0, TARGET, "opus:high > api:haiku")
    assert edits == [{"gpt-4.1": "opus:high > api:haiku", "my-model": "haiku"}]
