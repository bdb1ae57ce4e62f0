"""The settings for access to the server."""

from server.config.addresses import is_this_computer
from server.secrets import API_KEY
from tray_app.context import Context
from tray_app.pages.overview.key_card import confirm_replacement
from tray_app.pages.settings.client_keys_row import ClientKeysRow
from tray_app.pages.settings.fields import ChoiceField, SwitchField, TextField
from tray_app.pages.settings.row import SettingRow
from tray_app.pages.settings.section import Section
from tray_app.translation import tr
from tray_app.widgets import SecretField, make_button


class AccessSection(Section):
    """The API key, the keys of clients, their storage and the rate limit."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "access", tr("Access"))
        self.required = self.add_setting(
            "api_key_required",
            tr("Require the API key"),
            tr("Clients must send it with every request."),
            SwitchField(),
        )
        self.keyless = self.add_setting(
            "keyless_access",
            tr("Programs without a key"),
            tr(
                "Lets programs on this computer that cannot send a key use the paths of Ollama and LM Studio, the list "
                "of models and OpenAI's chat. Web pages still need the key."
            ),
            SwitchField(),
            keywords=tr("Ollama LM Studio Copilot Codex keyless"),
        )
        self.secret = SecretField(context.key_store.get_or_create, name=tr("API key"))
        self.secret.setFocusProxy(self.secret.toggle)
        self.rotate = make_button(tr("Replace key..."), self._ask_to_rotate)
        self.key_row = self.add_row(
            SettingRow(
                API_KEY,
                tr("API key"),
                tr("The key your clients send."),
                self.secret,
                keywords=tr("rotate secret token keyring file"),
            )
        )
        self.key_row.add_below(self.rotate)
        self.client_keys = ClientKeysRow(context)
        self.add_row(self.client_keys)
        places = [
            ("keyring", tr("System keyring")),
            ("file", tr("A file that only you can read")),
            ("memory", tr("Memory only")),
        ]
        self.storage = self.add_setting(
            "key_storage",
            tr("Keep secrets in"),
            tr(
                "The API key, client keys and your own Anthropic API key. Changing this moves them; clients are not "
                "affected."
            ),
            ChoiceField(places),
            keywords=tr("secret token keyring"),
        )
        self.add_setting(
            "rate_limit",
            tr("Rate limit"),
            tr("Requests per API key, such as 120/minute. Leave empty for no limit."),
            TextField(placeholder=tr("No limit")),
        )
        context.settings_changed.connect(self._show_key_location)
        self._show_key_location()

    def activate(self) -> None:
        self.client_keys.watch_keys(True)
        self.context.run(self._read_key(), name="read the key", on_error=self.key_row.show_error)

    def deactivate(self) -> None:
        super().deactivate()
        self.client_keys.watch_keys(False)

    async def _read_key(self) -> None:
        # Reading the key is what makes the store fall back from a keyring that does not work.
        await self.context.key_store.get_or_create()
        self._show_key_location()

    def _show_key_location(self) -> None:
        store, row = self.context.key_store, self.key_row
        row.help.setText(
            tr("The key your clients send. Kept {place}.").format(place=_location_text(store.kind, store.description))
        )
        self.rotate.setEnabled(store.kind != "environment")
        row.help.setToolTip(store.description)
        if store.kind != "memory":
            row.clear_message()
        else:
            fixed = self.storage.value.fixed_by()
            row.show_note(
                "warning", self._why_lost(), [] if fixed else [(tr("Keep it in a file"), self._keep_in_a_file)]
            )
        self._warn_if_open()

    def _why_lost(self) -> str:
        if self.context.settings.key_storage == "memory":
            return tr("It is lost when you quit, because secrets are kept in memory only.")
        return tr(
            "No system keyring is available, so this key is lost when you quit. You can keep it in a file "
            "that only you can read."
        )

    def _warn_if_open(self) -> None:
        settings = self.context.settings
        text = ""
        if not settings.api_key_required:
            text = (
                tr("Any program on this computer can use your Claude account.")
                if is_this_computer(settings.host)
                else tr("Anyone on your network can use your Claude account.")
            )
        self.required.row.show_warning("warning" if is_this_computer(settings.host) else "error", text)
        keyless = tr("Any program on this computer can use your Claude account.") if settings.keyless_access else ""
        self.keyless.row.show_warning("warning", keyless)

    def _keep_in_a_file(self) -> None:
        self.context.run(self._move_to_file(), name="keep the key in a file", on_error=self.key_row.show_error)

    async def _move_to_file(self) -> None:
        await self.context.change_settings({"key_storage": "file"})
        self._show_key_location()
        self.key_row.show_saved()

    def _ask_to_rotate(self) -> None:
        self.question = confirm_replacement(self, self._start_replacing)

    def _start_replacing(self) -> None:
        self.context.run(self._create_new_key(), name="make a new key", on_error=self.key_row.show_error)

    async def _create_new_key(self) -> None:
        await self.context.key_store.rotate_key()
        self.secret.hide_secret()
        self._show_key_location()
        self.key_row.show_note("ok", tr("New key created. Update your clients."))


def _location_text(kind: str, description: str) -> str:
    # The description of memory storage is long, and the note below the key says the same.
    return tr("in memory only") if kind == "memory" else description
