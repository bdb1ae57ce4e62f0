"""The command line of the desktop application."""

import argparse
import sys
from collections.abc import Sequence

from server import __version__
from server.config.arguments import SUBCOMMANDS, add_directory_options, add_log_level_option, add_server_options
from server.config.own_commands import COMMAND

PAGES = ("overview", "requests", "sessions", "clients", "settings")
"""The window's pages, as `--page` names them."""

DIRECTORIES = ("data-dir", "config-dir")

EPILOG = (
    "Without a desktop: `{command} serve`. Also: `{command} key`, `{command} doctor`, `{command} quit`; each has its "
    "own --help."
)


def names_subcommand(arguments: Sequence[str]) -> bool:
    """Whether the first argument is a subcommand of the server."""
    return bool(arguments) and arguments[0] in SUBCOMMANDS


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of the desktop application's options."""
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description="Lets any OpenAI or Anthropic client use Claude Code. Starts the desktop application.",
        epilog=EPILOG.format(command=COMMAND),
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"{COMMAND} {__version__}")
    parser.add_argument("--hidden", action="store_true", help="start in the tray without opening the window")
    parser.add_argument("--page", choices=PAGES, help="open the window on this page, also in a running instance")
    parser.add_argument(
        "--no-start", action="store_true", help="do not start the server; you can start it in the window"
    )
    add_directory_options(parser)
    add_server_options(parser)
    add_log_level_option(parser)
    return parser


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the options of the desktop application. Exits with status 2 on a usage error."""
    return build_parser().parse_args(arguments)


def own_options(namespace: argparse.Namespace) -> list[str]:
    """The options for the directories, which a later start of the application must repeat."""
    return _collect_options(namespace, DIRECTORIES)


def serve_options(namespace: argparse.Namespace) -> list[str]:
    """The options that `serve` has too."""
    return _collect_options(namespace, (*DIRECTORIES, "host", "port", "claude-path", "log-level"))


def _collect_options(namespace: argparse.Namespace, names: Sequence[str]) -> list[str]:
    values = ((f"--{name}", getattr(namespace, name.replace("-", "_"))) for name in names)
    return [word for name, value in values if value is not None for word in (name, str(value))]


def has_terminal() -> bool:
    """Whether standard error is a terminal."""
    return sys.stderr is not None and sys.stderr.isatty()
