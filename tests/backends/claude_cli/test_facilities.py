"""The facilities in force: proven, and not withdrawn since."""

import logging

import pytest

from server.backends.claude_cli.facilities import REQUIRED, Facilities, Facility
from server.backends.claude_cli.self_check.findings import describe_findings
from server.backends.claude_cli.self_check.verdict import PROVEN, Verdict
from server.core.events import CliChecked

ALL = dict.fromkeys(Facility, PROVEN)
FAILED = Verdict(False, "it differs")


def test_nothing_is_used_without_a_verdict():
    assert not any(one in Facilities() for one in Facility)


def test_a_withdrawn_facility_is_off_counted_and_logged_once(caplog):
    calls = []
    facilities = Facilities([Facility.RECYCLE, Facility.DRY_TURN])
    facilities.on_withdrawal = lambda: calls.append(facilities.withdrawn)
    with caplog.at_level(logging.WARNING):
        facilities.withdraw(Facility.RECYCLE, "rewound: false")
        facilities.withdraw(Facility.RECYCLE, "once more")
    assert Facility.RECYCLE not in facilities
    assert Facility.DRY_TURN in facilities
    assert facilities.failures == {Facility.RECYCLE: 2}
    assert calls == [{Facility.RECYCLE: "rewound: false"}]
    (record,) = caplog.records
    assert "recycle" in record.getMessage()
    assert "rewound: false" in record.getMessage()


def test_another_program_begins_anew():
    facilities = Facilities([Facility.RECYCLE])
    facilities.withdraw(Facility.RECYCLE, "rewound: false")
    facilities.replace_proven([Facility.RECYCLE])
    assert Facility.RECYCLE in facilities
    assert facilities.failures == {Facility.RECYCLE: 1}


def describe(verdicts, facilities=None, signed_in=False):
    return describe_findings({**ALL, **verdicts}, facilities or Facilities(Facility), signed_in=signed_in, is_new=True)


def test_fast_paths_that_are_off_are_named():
    assert describe({}) == CliChecked(fast_paths=5, is_new=True)
    assert describe({Facility.RECYCLE: FAILED}).off == {"reuse of processes": "it differs"}
    assert describe({Facility.FAST_DELTAS: FAILED}).off == {"fast streaming": "it differs"}


def test_a_fast_path_that_was_withdrawn_is_off():
    facilities = Facilities(Facility)
    facilities.withdraw(Facility.FAST_DELTAS, "a line was lost")
    assert describe({}, facilities).off == {"fast streaming": "a line was lost"}


@pytest.mark.parametrize("facility", sorted(REQUIRED))
def test_each_shortcoming_has_words_and_a_remedy(facility):
    (found,) = describe({facility: FAILED}).shortcomings
    assert found.message.endswith(".")
    assert found.hint.endswith(".")
    assert found.reason == "it differs"


def test_an_inconclusive_verdict_is_no_shortcoming():
    assert not describe({Facility.TOOLS: Verdict(False, "no answer", conclusive=False)}).shortcomings


def test_a_login_that_is_in_use_can_be_read():
    assert not describe({Facility.SIGN_IN: FAILED}, signed_in=True).shortcomings
