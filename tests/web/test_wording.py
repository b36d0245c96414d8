"""How figures read."""

from datetime import timedelta

import pytest

from schemas.states import BatchState
from tests.web import samples
from web import wording


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (15, 35, "42.9%"),
        (0, 35, "0.0%"),
        (35, 35, "100.0%"),
        (49, 400, "12.3%"),
        (1999, 2000, "99.9%"),
        (0, 0, "0.0%"),
    ],
)
def test_a_share_has_one_decimal_and_is_only_whole_when_nothing_is_missing(part: int, whole: int, text: str) -> None:
    assert wording.percent(part, whole) == text


@pytest.mark.parametrize(
    ("usd", "text"), [(0.0, "$0.00"), (0.0421, "$0.0421"), (1.5, "$1.50"), (1234.567, "$1,234.57"), (0.99999, "$1.00")]
)
def test_small_costs_keep_four_decimals(usd: float, text: str) -> None:
    assert wording.cost(usd) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 batches"), (1, "1 batch"), (2, "2 batches"), (1200, "1,200 batches")]
)
def test_only_one_is_singular(count: int, text: str) -> None:
    assert wording.plural(count, "batch", "batches") == text


@pytest.mark.parametrize(("seconds", "text"), [(59.9, "59 s"), (83, "1 min 23 s"), (3725, "1 h 2 min"), (-3, "0 s")])
def test_durations_read_in_two_units(seconds: float, text: str) -> None:
    assert wording.duration(timedelta(seconds=seconds)) == text


def test_a_batch_of_more_than_fifty_is_drawn_to_scale() -> None:
    cells = wording.grains(samples.batch(1, BatchState.FAILED, target=100, held=30))

    assert cells == ["held"] * 15 + ["missing"] * 35


@pytest.mark.parametrize(
    ("status", "held", "text"),
    [
        (BatchState.PENDING, 0, "0/20 held"),
        (BatchState.PROCESSING, 7, "7/20 held"),
        (BatchState.COMPLETED, 0, "20/20 saved"),
        (BatchState.FAILED, 5, "5 held, 15 missing"),
        (BatchState.CANCELLED, 5, "5 held, 15 missing"),
    ],
)
def test_a_batch_says_what_became_of_its_questions(status: BatchState, held: int, text: str) -> None:
    assert wording.tally(samples.batch(1, status, held=held)) == text
