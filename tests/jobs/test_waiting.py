"""Whether a failed call is made again, and how long is waited before."""

import pytest

from jobs.providers.base import ProviderOverloaded, ProviderRejected, ProviderUnavailable, WaitedTooLong
from jobs.waiting import STRAY_SHARE, TROUBLES_MAX, Waiting
from service.rules import retries

BROKEN = ProviderUnavailable("the connection broke")


@pytest.fixture
def jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The longest backoff: chance is the one thing here that can't be passed in."""
    monkeypatch.setattr("random.random", lambda: 1.0)


def open_waiting(seconds_max: float = 600, *, has_fallback: bool = False) -> Waiting:
    return Waiting(seconds_max, has_fallback=has_fallback)


@pytest.mark.usefixtures("jitter")
@pytest.mark.parametrize(("was_answered", "share"), [(False, 1), (True, STRAY_SHARE)])
def test_a_stray_failure_is_backed_off_for_a_share_of_the_time(*, was_answered: bool, share: float) -> None:
    ours = open_waiting()
    pauses = [ours.pause_seconds(BROKEN, was_answered=was_answered) for _ in range(TROUBLES_MAX)]
    assert pauses == [retries.delay_seconds(number, jitter=1) * share for number in range(1, TROUBLES_MAX + 1)]


@pytest.mark.parametrize("was_answered", [True, False])
def test_what_the_provider_says_is_waited_for(*, was_answered: bool) -> None:
    told = ProviderOverloaded("overloaded", retry_after_seconds=20)
    assert open_waiting().pause_seconds(told, was_answered=was_answered) == 20


@pytest.mark.parametrize(("was_answered", "has_fallback"), [(True, False), (False, True)])
def test_one_that_keeps_failing_costs_an_attempt_where_others_or_another_model_may_answer(
    *, was_answered: bool, has_fallback: bool
) -> None:
    ours = open_waiting(has_fallback=has_fallback)
    for _ in range(TROUBLES_MAX):
        ours.pause_seconds(BROKEN, was_answered=was_answered)
    with pytest.raises(ProviderUnavailable):
        ours.pause_seconds(BROKEN, was_answered=was_answered)


def test_a_provider_that_answers_nobody_is_waited_for_until_the_time_is_up() -> None:
    told = ProviderOverloaded("overloaded", retry_after_seconds=20)
    with pytest.raises(WaitedTooLong):
        open_waiting(10).pause_seconds(told, was_answered=False)


def test_what_waiting_does_not_change_is_raised() -> None:
    with pytest.raises(ProviderRejected):
        open_waiting().pause_seconds(ProviderRejected("no"), was_answered=True)
