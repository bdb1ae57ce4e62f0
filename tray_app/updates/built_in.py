"""A choice of whoever builds the program."""

UPDATE_CHECKS: bool = True
"""False leaves out button, menu entry, page and setting: for distributions, which update the program themselves."""
