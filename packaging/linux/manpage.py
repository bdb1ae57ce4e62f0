"""The manual page, made from the parsers of the command line."""

import argparse
import textwrap
from collections.abc import Iterator

from linux.templates import short_summary
from project import Project

from server.cli.arguments import build_parser as build_server_parser
from tray_app.arguments import build_parser as build_desktop_parser

WIDTH = 78
"""Characters of a line in the source, as the style of manual pages asks."""


def render_manpage(project: Project, date: str) -> str:
    """Render section 1's page for all commands and options. `date` is an ISO date."""
    desktop = build_desktop_parser()
    commands = list(subcommands(build_server_parser()))
    summary = short_summary(project.summary)
    lines = [
        f'.TH {project.name.upper()} 1 "{date}" "{project.title} {_escape(project.version)}" "User Commands"',
        ".SH NAME",
        f"{project.name} \\- {_escape(summary[0].lower() + summary[1:])}",
        ".SH SYNOPSIS",
        *_usage(desktop),
    ]
    for command in commands:
        lines += [".br", *_usage(command)]
    lines += [".SH DESCRIPTION", *_text(desktop.description or "")]
    lines += [".SH OPTIONS", *_describe_arguments(desktop), ".SH COMMANDS"]
    for command in commands:
        lines += [f'.SS "{_escape(command.prog)}"', *_text(command.description or ""), *_describe_arguments(command)]
    lines += [
        ".SH FILES",
        *_entry(f"~/.config/{project.name}/settings.toml", "the settings"),
        *_entry(f"~/.local/share/{project.name}/", "database, logs and secrets that are kept in a file"),
        ".SH ENVIRONMENT",
        *_entry(f"{project.name.upper()}_PORT", "and one more variable for each setting, named in the same way"),
        ".SH EXIT STATUS",
        *_text("0 after success, 1 after an error, 2 after an error in the command line or the settings it sets."),
    ]
    return "\n".join(lines) + "\n"


def subcommands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """All subcommands of a parser, and theirs, in the order of their help."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield command
                yield from subcommands(command)


def _usage(parser: argparse.ArgumentParser) -> list[str]:
    """One line of the synopsis: options are described below."""
    formatter = parser.formatter_class(prog=parser.prog)
    own = [action for action in parser._actions if not isinstance(action, argparse._SubParsersAction)]
    operands = [formatter._format_action_invocation(action) for action in own if not action.option_strings]
    return [f".B {_escape(parser.prog)}", " ".join([r"[\fIoptions\fR]", *map(_escape, operands)])]


def _describe_arguments(parser: argparse.ArgumentParser) -> Iterator[str]:
    formatter = parser.formatter_class(prog=parser.prog)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction) or action.help == argparse.SUPPRESS:
            continue
        if not action.help:
            raise ValueError(f"{parser.prog}: {formatter._format_action_invocation(action)} has no help")
        yield from _entry(formatter._format_action_invocation(action), formatter._expand_help(action))


def _entry(term: str, text: str) -> list[str]:
    return [".TP", f".B {_escape(term)}", *_text(text)]


def _text(text: str) -> list[str]:
    return [_escape(line) for line in textwrap.wrap(text, WIDTH, break_on_hyphens=False, break_long_words=False)]


def _escape(text: str) -> str:
    """Escape what roff would interpret: backslashes, hyphens, and a control character at the start of a line."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
