"""The circuit breaker: it opens, waits, and tries again."""

import pytest

from server.backends.circuit_breaker import CircuitBreaker


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return CircuitBreaker(threshold=2, cool_down=30, clock=clock)


def test_it_opens_after_failures_in_a_row(breaker):
    breaker.record_failure()
    breaker.record_success()
    breaker.record_failure()
    assert breaker.allows_try()
    breaker.record_failure()
    assert not breaker.allows_try()
    assert breaker.retry_after == 30


def test_after_the_cool_down_one_request_tries(breaker, clock):
    breaker.record_failure()
    breaker.record_failure()
    clock.now += 30
    assert breaker.allows_try()
    assert not breaker.allows_try()
    breaker.record_success()
    assert breaker.allows_try()
    assert not breaker.is_open


def test_a_failed_try_begins_another_cool_down(breaker, clock):
    breaker.record_failure()
    breaker.record_failure()
    clock.now += 30
    assert breaker.allows_try()
    clock.now += 5
    breaker.record_failure()
    clock.now += 29
    assert not breaker.allows_try()
    clock.now += 1
    assert breaker.allows_try()


def test_a_try_that_never_reports_does_not_block_for_ever(breaker, clock):
    breaker.record_failure()
    breaker.record_failure(5)
    clock.now += 5
    assert breaker.allows_try()
    clock.now += 30
    assert breaker.allows_try()
