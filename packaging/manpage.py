"""The manual page, made from the parsers of the command line."""

import argparse
from collections.abc import Iterator

from project import Project

from server.cli.arguments import build_parser as build_server_parser
from tray_app.arguments import build_parser as build_desktop_parser


def render_manpage(project: Project, date: str) -> str:
    """Render section 1's page for all commands and options. `date` is an ISO date."""
    desktop = build_desktop_parser()
    lines = [
        f'.TH {project.name.upper()} 1 "{date}" "{project.title} {_escape(project.version)}" "User Commands"',
        ".SH NAME",
        f"{project.name} \\- {_escape(project.summary[0].lower() + project.summary[1:].rstrip('.'))}",
        ".SH SYNOPSIS",
        f".B {project.name}",
        "[\\fIoptions\\fR]",
        ".br",
    ]
    commands = list(subcommands(build_server_parser()))
    for command in commands:
        lines += [f".B {_escape(command.prog)}", "[\\fIoptions\\fR]", ".br"]
    lines += [".SH DESCRIPTION", _escape(desktop.description or ""), ".SH OPTIONS", *_describe_options(desktop)]
    lines.append(".SH COMMANDS")
    for command in commands:
        lines += [f'.SS "{_escape(command.prog)}"', _escape(command.description or ""), *_describe_options(command)]
    lines += [
        ".SH FILES",
        *_entry(f"~/.config/{project.name}/settings.toml", "the settings"),
        *_entry(f"~/.local/share/{project.name}/", "database, logs and secrets that are kept in a file"),
        ".SH ENVIRONMENT",
        *_entry(f"{project.name.upper()}_PORT", "and one more variable for each setting, named in the same way"),
        ".SH EXIT STATUS",
        "0 after success, 1 after an error, 2 after an error in the command line or the settings it sets.",
    ]
    return "\n".join(lines) + "\n"


def subcommands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """All subcommands of a parser, and theirs, in the order of their help."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield command
                yield from subcommands(command)


def _describe_options(parser: argparse.ArgumentParser) -> Iterator[str]:
    formatter = parser.formatter_class(prog=parser.prog, width=1000, max_help_position=100)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            continue
        yield from _entry(formatter._format_action_invocation(action), formatter._expand_help(action))


def _entry(term: str, text: str) -> list[str]:
    return [".TP", f".B {_escape(term)}", _escape(text)]


def _escape(text: str) -> str:
    """Escape what roff would interpret: backslashes, hyphens, and a control character at the start of a line."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
