"""How long to wait before the next try."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules import retries


@pytest.mark.parametrize(("attempt", "ceiling"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (8, 60), (10_000, 60)])
def test_the_longest_delay_doubles_with_every_attempt_up_to_a_minute(attempt: int, ceiling: float) -> None:
    assert retries.delay_seconds(attempt, jitter=1) == ceiling


def test_half_the_jitter_is_half_the_delay() -> None:
    assert retries.delay_seconds(3, jitter=0.5) == 2


@given(st.integers(min_value=1, max_value=10**6), st.floats(min_value=0, max_value=1))
def test_a_delay_is_never_negative_and_never_longer_than_the_maximum(attempt: int, jitter: float) -> None:
    assert 0 <= retries.delay_seconds(attempt, jitter=jitter) <= retries.DELAY_SECONDS_MAX
