"""The verdicts in the user's words: what is off, what that means, and what to do."""

from collections.abc import Iterable, Mapping

from server.backends.claude_cli.facilities import FAST_PATHS, Facilities, Facility
from server.backends.claude_cli.self_check.verdict import Verdicts, missing_requirements
from server.core.events import CliChecked, CliShortcoming

_FAST_PATHS = {
    Facility.RECYCLE: "reuse of processes",
    Facility.SYSTEM_PROMPT: "change of the system prompt",
    Facility.DRY_TURN: "warm spare processes",
    Facility.CACHED_REPLAY: "replay that keeps the prompt cache",
    Facility.FAST_DELTAS: "fast streaming",
}
_OTHER_VERSION = (
    "Install another version of Claude Code, or set claude_path to one. An update of this program may help too."
)
_LOGIN = (
    "Set CLAUDE_CODE_OAUTH_TOKEN to a token from `claude setup-token`, or ANTHROPIC_API_KEY to a key, "
    "or install another version of Claude Code."
)
_SHORTCOMINGS = {
    Facility.SIGN_IN: ("This version of Claude Code does not read the login of a plan.", _LOGIN),
    Facility.TOOLS: ("Clients' tools do not work with this version of Claude Code.", _OTHER_VERSION),
    Facility.TOOLS_IN_BODY: (
        "This version of Claude Code changes the definitions of clients' tools.",
        _OTHER_VERSION,
    ),
    Facility.ISOLATION: (
        "This version of Claude Code brings your own settings, memory or hooks into clients' conversations.",
        _OTHER_VERSION,
    ),
    Facility.CROSS_SESSION_REFUSAL: (
        "With this version of Claude Code your other sessions may be able to write into clients' conversations.",
        _OTHER_VERSION,
    ),
    Facility.RESUME: (
        "This version of Claude Code loses a part of a conversation's history.",
        _OTHER_VERSION,
    ),
}


def describe_findings(verdicts: Verdicts, facilities: Facilities, *, signed_in: bool, is_new: bool) -> CliChecked:
    """The event for verdicts and for what was withdrawn since.

    `signed_in`: the CLI has read the user's own login or key, whatever it does with others.
    """
    return CliChecked(
        fast_paths=len(FAST_PATHS),
        off=fast_paths_off(verdicts, facilities.withdrawn),
        shortcomings=find_shortcomings(verdicts, signed_in=signed_in),
        is_new=is_new,
    )


def fast_paths_off(verdicts: Verdicts, withdrawn: Mapping[Facility, str]) -> dict[str, str]:
    """The fast paths that requests would take but must not; with the reasons, in the order of `Facility`."""
    reasons = {one: verdict.reason for one, verdict in verdicts.items() if not verdict.proven} | dict(withdrawn)
    return {_FAST_PATHS[one]: reasons[one] for one in Facility if one in FAST_PATHS and one in reasons}


def find_shortcomings(verdicts: Verdicts, *, signed_in: bool) -> tuple[CliShortcoming, ...]:
    """What requests rely on and the program does not do."""
    missing: Iterable[tuple[Facility, str]] = missing_requirements(verdicts).items()
    return tuple(
        CliShortcoming(*_SHORTCOMINGS[one], reason)
        for one, reason in missing
        if not (one is Facility.SIGN_IN and signed_in)
    )
