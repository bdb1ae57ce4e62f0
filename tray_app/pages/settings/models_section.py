"""The settings of models."""

from PySide6.QtWidgets import QWidget

from server.core.errors import ModelNotFound
from server.models.aliases import DEFAULT, ModelNames, resolve_model
from server.models.families import SHORT_NAMES
from tray_app.context import Context
from tray_app.models.aliases import AliasModel
from tray_app.pages.settings.alias_table import AliasTable
from tray_app.pages.settings.fields import NameField
from tray_app.pages.settings.row import SettingRow
from tray_app.pages.settings.section import Section
from tray_app.translation import counted, tr
from tray_app.widgets import make_button


class ModelsSection(Section):
    """The default model and the alias table."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "models", tr("Models"))
        self.default_field = NameField()
        self.default = self.add_setting(
            "default_model",
            tr("Default model"),
            tr("Used when a request names no model. “default” uses Claude Code's own."),
            self.default_field,
        )
        self._value = self.setting_value("aliases")
        self.model = AliasModel(context.settings.aliases)
        self.table = AliasTable(self.model, lambda: known_models(context))
        self.add_button = make_button(tr("Add alias"), self._add_alias, icon="mdi6.plus")
        self.remove_button = make_button(tr("Remove"), self._remove_selected)
        self.aliases = self.add_row(self._aliases_row(self.table))
        self._saving = 0
        """Number of saves in progress. Until the last one ends, the settings are older than the table."""
        self.model.edited.connect(self._save_aliases)
        self.model.problems_changed.connect(self._show_problems)
        self.table.delete_pressed.connect(self._remove_selected)
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._enable_remove())
        self.refresh()

    def _aliases_row(self, table: QWidget) -> SettingRow:
        row = SettingRow(
            "aliases",
            tr("Aliases"),
            tr(
                "Requested names and the Claude models that answer. Common names such as gpt-5 are built "
                "in; yours take precedence. “opus > sonnet” uses the next model if one cannot answer, “opus:high” "
                "and “haiku:nothink” set the effort, and “api:haiku” uses your Anthropic API key."
            ),
            table,
            keywords=tr("alias table gpt name chain fallback effort"),
            wide=True,
        )
        row.add_below(self.add_button, self.remove_button)
        row.reset_requested.connect(lambda: self._replace_aliases({}))
        return row

    def activate(self) -> None:
        self.default_field.set_choices(known_models(self.context))

    def refresh(self) -> None:
        super().refresh()
        if not self._saving and self.model.is_complete and not self.table.is_editing:
            self.model.show_aliases(self.context.settings.aliases)
        fixed = self._value.fixed_by()
        self.aliases.show_fixed(fixed)
        self.aliases.offer_reset(tr("none") if self.context.settings.aliases and not fixed else "")
        self.add_button.setEnabled(not fixed)
        self._enable_remove()
        self._check_default()
        self._check_aliases()

    def _check_aliases(self) -> None:
        unknown = [name for name in self.context.settings.aliases if not names_a_model(self.context, name)]
        text = tr("Unknown model: requests for {names} fail.").format(names=", ".join(unknown)) if unknown else ""
        self.aliases.show_warning("warning", text)

    def _check_default(self) -> None:
        settings = self.context.settings
        text = (
            ""
            if names_a_model(self.context, settings.default_model)
            else tr("Unknown model: requests that name no model may fail.")
        )
        self.default.row.show_warning("warning", text)

    def _enable_remove(self) -> None:
        self.remove_button.setEnabled(bool(self.table.selected_rows()) and self.table.isEnabled())

    def _add_alias(self) -> None:
        self.table.edit_name(self.model.add_row())

    def _remove_selected(self) -> None:
        rows = self.table.selected_rows()
        before = self.model.aliases()
        self.model.remove_rows(rows)
        if self.model.aliases() != before:
            text = counted(len(rows), "1 alias removed.", "{n} aliases removed.")
            self.aliases.show_note("muted", text, [(tr("Undo"), lambda: self._replace_aliases(before))])

    def _replace_aliases(self, aliases: dict[str, str]) -> None:
        self.aliases.clear_message()
        self.model.show_aliases(aliases)
        self._save_aliases()

    def _show_problems(self) -> None:
        problems = self.model.list_problems()
        if problems:
            self.aliases.show_problem("\n".join(problems))
        else:
            self.aliases.clear_message()

    def _save_aliases(self) -> None:
        self._saving += 1
        self.context.run(
            self._write_aliases(self.model.aliases()), name="save the aliases", on_error=self.aliases.show_error
        )

    async def _write_aliases(self, aliases: dict[str, str]) -> None:
        try:
            await self._value.save_value(aliases)
        finally:
            self._saving -= 1
        if not self.model.list_problems() and not self.aliases.message.text:
            self.aliases.show_saved()
        self.refresh()


def known_models(context: Context) -> list[str]:
    """The names that Claude Code lists, short ones first, or those always valid."""
    offered = context.server.cli.models() if context.server.cli is not None else ()
    short = [model.name for model in offered if model.name] or sorted(SHORT_NAMES)
    return list(dict.fromkeys([DEFAULT, *short, *(model.id for model in offered)]))


def names_a_model(context: Context, name: str) -> bool:
    """Whether the server can resolve `name` to a model."""
    settings = context.settings
    known = ModelNames(settings.aliases, tuple(known_models(context)), settings.default_model)
    try:
        resolve_model(name, known)
    except ModelNotFound:
        return False
    return True
