"""Dragoman, as it is installed: one name in site-packages, with the packages `server` and `tray_app` inside it.

The name is no namespace for imports. The program's own packages import each other as `server` and `tray_app`, in a
checkout and here; `dragoman.__main__` makes them importable, in this program's process only.
"""
