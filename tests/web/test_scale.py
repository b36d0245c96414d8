"""Where moments stand on a time axis."""

from itertools import pairwise

import pytest

from tests.web.samples import AT
from web.scale import Scale, Span, milliseconds, percent

SECOND = 1_000
HOUR = 3_600_000


def test_a_single_stretch_is_drawn_to_scale() -> None:
    scale = Scale([(0, 4 * SECOND), (2 * SECOND, 10 * SECOND)])

    assert [scale.at(ms) for ms in (0, 2_500, 10_000, 99_000)] == [0, 2_500, 10_000, 10_000]
    assert scale.breaks() == []


def test_a_night_without_work_is_cut_short_and_told_of() -> None:
    scale = Scale([(0, 16 * SECOND), (9 * HOUR, 9 * HOUR + 16 * SECOND)])

    [((left, right), (end, start))] = scale.breaks()
    assert (end, start) == (16 * SECOND, 9 * HOUR)
    assert (left, right) == (4_705, 5_294), "a sixteenth of the time at work stands for the night"
    assert scale.at(9 * HOUR + 16 * SECOND) == 10_000


def test_a_short_wait_is_no_break() -> None:
    assert Scale([(0, SECOND), (9 * SECOND, 10 * SECOND)]).breaks() == []


@pytest.mark.parametrize(
    ("spans", "ticks"),
    [
        ([(500, 3_500)], [1_000, 2_000, 3_000]),
        ([(0, 50 * SECOND)], [0, 10_000, 20_000, 30_000, 40_000, 50_000]),
        ([(0, 40 * HOUR)], [0, 8 * HOUR, 16 * HOUR, 24 * HOUR, 32 * HOUR, 40 * HOUR]),
        ([], []),
    ],
)
def test_ticks_stand_at_round_moments(spans: list[Span], ticks: list[int]) -> None:
    assert Scale(spans).ticks() == ticks


def test_labels_do_not_touch_across_a_break() -> None:
    scale = Scale([(0, 20 * SECOND), (5 * HOUR, 5 * HOUR + 20 * SECOND)])
    places = [scale.at(ms) for ms in scale.ticks()]
    assert all(after - before >= 1_400 for before, after in pairwise(places))


def test_moments_are_whole_milliseconds_and_places_have_two_decimals() -> None:
    assert milliseconds(AT) == int(AT.timestamp()) * 1000
    assert [percent(value) for value in (0, 5, 4_705, 10_000)] == ["0.00%", "0.05%", "47.05%", "100.00%"]
