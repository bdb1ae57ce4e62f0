"""The signed-in user's registry, through winreg."""

import sys

if sys.platform == "win32":
    import contextlib
    import winreg

    class CurrentUserRegistry:
        """HKEY_CURRENT_USER. Every call raises OSError."""

        def get_value(self, key: str, name: str) -> str | bytes | None:
            try:
                with winreg.OpenKey(winreg.HKEY_CURRENT_USER, key) as handle:
                    value, kind = winreg.QueryValueEx(handle, name)
            except FileNotFoundError:
                return None
            if kind == winreg.REG_EXPAND_SZ:
                return winreg.ExpandEnvironmentStrings(value)
            return value if isinstance(value, str | bytes) else None

        def set_value(self, key: str, name: str, value: str) -> None:
            with winreg.CreateKeyEx(winreg.HKEY_CURRENT_USER, key, access=winreg.KEY_SET_VALUE) as handle:
                winreg.SetValueEx(handle, name, 0, winreg.REG_SZ, value)

        def delete_value(self, key: str, name: str) -> None:
            with (
                contextlib.suppress(FileNotFoundError),
                winreg.OpenKey(winreg.HKEY_CURRENT_USER, key, access=winreg.KEY_SET_VALUE) as handle,
            ):
                winreg.DeleteValue(handle, name)
