"""How fast questions come, and how long it may still take: nothing is said that has not happened."""

from datetime import timedelta
from uuid import UUID

import pytest

from schemas.events import BatchRequeued, BatchRetrying, Event, GenerationResumed, Happening, QuestionAccepted
from schemas.states import BatchState, ErrorCode, GenerationState, RequeueReason
from tests.web import samples
from tests.web.samples import AT
from web.pace import Pace, left, pace, rate

BATCH = UUID(int=101)
ACCEPTED = QuestionAccepted(batch_id=BATCH, held_count=1, target_count=20, preview="?")
WAITING = BatchRetrying(batch_id=BATCH, code=ErrorCode.PROVIDER_OVERLOADED, delay_seconds=5)
UNKNOWN = Pace(rate="not known yet", left="not known yet")


def told(*happenings: tuple[float, Happening]) -> list[Event]:
    """Events at so many seconds after AT."""
    return [samples.event(what, seq=seq, at=at) for seq, (at, what) in enumerate(happenings, start=1)]


def at(now: float, latest: list[Event], *, state: GenerationState = GenerationState.PROCESSING) -> Pace:
    running = samples.generation(state, samples.batch(1, BatchState.PROCESSING, held=8))
    return pace(running, latest, AT + timedelta(seconds=now))


def test_questions_of_the_last_minute_are_counted() -> None:
    every_five = told(*((second, ACCEPTED) for second in range(0, 120, 5)))
    assert at(119, every_five) == Pace(rate="12 questions a minute", left="less than a minute")


def test_where_questions_come_slowly_the_last_five_minutes_count() -> None:
    every_forty = told(*((second, ACCEPTED) for second in range(0, 600, 40)))
    assert at(590, every_forty) == Pace(rate="1.4 questions a minute", left="about 9 min")


@pytest.mark.parametrize(
    ("now", "accepted"), [(9, [1.0, 2, 3, 4, 5, 6]), (59, [1.0, 2, 3, 4]), (900, [1.0, 2, 3, 4, 5, 6, 7])]
)
def test_with_too_little_nothing_is_said(now: float, accepted: list[float]) -> None:
    assert at(now, told(*((second, ACCEPTED) for second in accepted))) == UNKNOWN
    assert at(now, []) == UNKNOWN


@pytest.mark.parametrize(
    "beginning",
    [GenerationResumed(), BatchRequeued(batch_id=BATCH, batch_key="k", reason=RequeueReason.RETRY)],
)
def test_time_in_which_nothing_was_to_be_done_does_not_count(beginning: Happening) -> None:
    before = [(second, ACCEPTED) for second in range(10)]
    after = [(40.0 + second, ACCEPTED) for second in range(1, 11)]
    assert at(60, told(*before, (40, beginning), *after)).rate == "30 questions a minute"


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (GenerationState.PENDING, "not known yet"),
        (GenerationState.PAUSED, "paused"),
        (GenerationState.PARTIAL, "ended"),
        (GenerationState.CANCELLED, "ended"),
    ],
)
def test_what_does_not_run_has_no_pace(state: GenerationState, word: str) -> None:
    fast = told(*((second, ACCEPTED) for second in range(60)))
    assert at(60, fast, state=state) == Pace(rate=word, left=word)


def test_while_it_waits_for_the_provider_it_says_so() -> None:
    fast = [(float(second), ACCEPTED) for second in range(60)]
    assert at(60, told(*fast, (60, WAITING))).left == "waiting for the provider"
    assert at(60, told(*fast, (59, WAITING), (60, ACCEPTED))).rate.endswith("questions a minute")


@pytest.mark.parametrize(
    ("per_minute", "text"),
    [
        (0.95, "1 question a minute"),
        (1.04, "1 question a minute"),
        (2, "2 questions a minute"),
        (2.44, "2.4 questions a minute"),
        (10, "10 questions a minute"),
        (1234.5, "1,235 questions a minute"),
    ],
)
def test_a_pace_reads_in_the_right_number(per_minute: float, text: str) -> None:
    assert rate(per_minute) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "less than a minute"), (60, "less than a minute"), (61, "about 2 min"), (3600, "about 1 h 0 min")],
)
def test_time_left_is_rounded_up(seconds: float, text: str) -> None:
    assert left(seconds) == text
