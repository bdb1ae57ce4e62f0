"""The arguments of the command line. Each subcommand is imported only when it runs."""

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from server import __version__
from server.cli.client_key_arguments import add_client_key_commands
from server.config.arguments import add_directory_options, add_log_level_option, add_server_options
from server.config.own_commands import COMMAND

Run = Callable[[argparse.Namespace], int]


def parse_arguments(arguments: Sequence[str]) -> tuple[Run, argparse.Namespace]:
    """Return the subcommand's function and its arguments. Exits with status 2 on a usage error."""
    parser = build_parser()
    namespace = parser.parse_args(_with_subcommand(list(arguments)))
    if getattr(namespace, "key_command", None) and (
        namespace.rotate or namespace.anthropic or namespace.forget_anthropic
    ):
        parser.error(f"key {namespace.key_command} takes none of --rotate, --anthropic and --forget-anthropic")
    run: Run = {"serve": _run_serve, "key": _run_key, "doctor": _run_doctor, "quit": _run_quit}[namespace.subcommand]
    return run, namespace


def _with_subcommand(arguments: list[str]) -> list[str]:
    """Insert `serve` if there is no subcommand."""
    own = {"-h", "--help", "--version"}
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in own):
        return ["serve", *arguments]
    return arguments


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of the server's subcommands."""
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description="Lets any OpenAI or Anthropic client use Claude Code. Without a subcommand: serve.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"{COMMAND} {__version__}")
    subcommands = parser.add_subparsers(dest="subcommand", required=True)
    _add_serve(subcommands)
    _add_key(subcommands)
    _add_doctor(subcommands)
    _add_quit(subcommands)
    return parser


def _add_serve(subcommands: Any) -> None:
    serve = _add_subcommand(subcommands, "serve", "start the server and keep it running")
    add_server_options(serve)
    serve.add_argument("--no-auth", action="store_true", help="do not require the API key")
    add_log_level_option(serve)


def _add_key(subcommands: Any) -> None:
    key = _add_subcommand(subcommands, "key", "print the server's API key")
    key.description = (
        "Print the server's API key. With --anthropic: store a key of your own for the Anthropic API, which "
        "then answers, and bills that key, where Claude Code is missing or not signed in. With a command: named keys "
        "for single clients, each with rules and limits of its own."
    )
    what = key.add_mutually_exclusive_group()
    what.add_argument("--rotate", action="store_true", help="replace it first; the old key is then refused")
    what.add_argument(
        "--anthropic", action="store_true", help="store an Anthropic API key, from a prompt or standard input"
    )
    what.add_argument("--forget-anthropic", action="store_true", help="remove the stored Anthropic API key")
    add_client_key_commands(key, add_directory_options)


def _add_doctor(subcommands: Any) -> None:
    doctor = _add_subcommand(subcommands, "doctor", "check everything the server needs")
    add_server_options(doctor)
    doctor.add_argument("--json", action="store_true", help="print the result as JSON")


def _add_quit(subcommands: Any) -> None:
    quit_parser = _add_subcommand(subcommands, "quit", "end the running program, with a window or without")
    quit_parser.description = (
        "Ask the running program of this data folder, with a window or without, to end, and wait until it has ended. "
        "New requests are refused and running ones finish first. The exit code is 0 also if none runs, and 1 if it has "
        "not ended in time."
    )
    quit_parser.add_argument("--now", action="store_true", help="cut off running requests")
    quit_parser.add_argument(
        "--timeout", type=_seconds, default=60.0, metavar="SECONDS", help="longest wait for the end (60)"
    )


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e6:  # excludes NaN too
        raise argparse.ArgumentTypeError("must be a number of seconds above 0")
    return value


def _add_subcommand(subcommands: Any, name: str, purpose: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subcommands.add_parser(
        name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}.", allow_abbrev=False
    )
    add_directory_options(parser)
    return parser


def _run_serve(namespace: argparse.Namespace) -> int:
    from server.cli.serve import run

    return run(namespace)


def _run_key(namespace: argparse.Namespace) -> int:
    from server.cli.key import run

    return run(namespace)


def _run_quit(namespace: argparse.Namespace) -> int:
    from server.cli.quit import run

    return run(namespace)


def _run_doctor(namespace: argparse.Namespace) -> int:
    from server.cli.doctor import run

    return run(namespace)
