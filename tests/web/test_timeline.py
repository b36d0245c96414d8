"""The picture of who worked on which batch when."""

from datetime import timedelta

from schemas.generations import Batch, BatchAttempt
from schemas.states import AttemptOutcome, BatchState, GenerationState
from tests.web import samples
from tests.web.samples import AT, attempt
from web.timeline import LANES_MAX, Timeline, timeline

ONE, TWO = "host:1:aa", "host:2:bb"


def drawn(
    batches: list[Batch], *tries: BatchAttempt, state: GenerationState = GenerationState.PROCESSING, now: float = 100
) -> Timeline:
    at = AT + timedelta(seconds=now)
    return timeline(samples.generation(state, *batches), (samples.run(*tries),), at)


def test_nothing_that_has_begun_is_nothing_to_draw() -> None:
    empty = drawn([samples.batch()])

    assert empty.lanes == empty.ticks == empty.rows == ()
    assert empty.summary == "No batch has begun yet."
    assert empty.left_out == ""


def test_a_retry_is_two_bars_and_the_wait_between() -> None:
    batch = samples.batch(1, BatchState.COMPLETED)
    picture = drawn(
        [batch],
        attempt(batch, AttemptOutcome.RETRYING, worker=ONE, start=0, end=40, error=samples.OVERLOADED),
        attempt(batch, AttemptOutcome.COMPLETED, worker=TWO, number=2, start=45, end=100),
        state=GenerationState.COMPLETED,
    )

    [lane] = picture.lanes
    assert [(bar.kind, bar.x, bar.width) for bar in lane.bars] == [
        ("wait", "40.00%", "5.00%"),
        ("retrying", "0.00%", "40.00%"),
        ("completed", "45.00%", "55.00%"),
    ]
    assert lane.bars[1].title == ("Attempt 1, worker 1, from 09:07:30, 40 s: tried again later (provider_overloaded)")
    assert lane.who == "workers 1, 2"
    assert picture.summary == "2 attempts of 1 batch by 2 workers, 1 retry among them."
    assert [(row.number, row.worker, row.took, row.outcome) for row in picture.rows] == [
        (1, "worker 1", "40 s", "tried again later (provider_overloaded)"),
        (2, "worker 2", "55 s", "saved"),
    ]


def test_what_runs_and_what_waits_reaches_to_now_and_in_a_pause_nothing_waits() -> None:
    running, waiting = samples.batch(1, BatchState.PROCESSING), samples.batch(2)
    tries = (
        attempt(running, AttemptOutcome.RUNNING, start=0, end=None),
        attempt(waiting, AttemptOutcome.RETRYING, start=0, end=50, error=samples.OVERLOADED),
    )
    first, second = drawn([running, waiting], *tries).lanes
    assert [(bar.kind, bar.width) for bar in first.bars] == [("running", "100.00%")]
    assert [(bar.kind, bar.x, bar.width) for bar in second.bars] == [
        ("wait", "50.00%", "50.00%"),
        ("retrying", "0.00%", "50.00%"),
    ]
    first, second = drawn([running, waiting], *tries, state=GenerationState.PAUSED).lanes
    assert [(bar.kind, bar.width) for bar in first.bars] == [("running", "100.00%")], "until its worker lets go"
    assert [bar.kind for bar in second.bars] == ["retrying"]


def test_between_a_failure_and_its_retry_nobody_waits() -> None:
    batch = samples.batch(1, BatchState.PROCESSING)
    picture = drawn(
        [batch],
        attempt(batch, AttemptOutcome.FAILED, start=0, end=20, error=samples.OVERLOADED),
        attempt(batch, AttemptOutcome.RUNNING, number=2, start=90_000, end=None),
        now=90_020,
    )

    assert [bar.kind for bar in picture.lanes[0].bars] == ["failed", "running"]
    assert [cut.title for cut in picture.breaks] == ["24 h 59 min without work"]


def test_of_many_batches_those_that_matter_are_drawn_and_the_rest_is_counted() -> None:
    done = [samples.batch(number, BatchState.COMPLETED) for number in range(1, 61)]
    failed = [samples.batch(number, BatchState.FAILED, error=samples.OVERLOADED) for number in range(61, 64)]
    running = [samples.batch(number, BatchState.PROCESSING) for number in range(64, 72)]
    idle = [samples.batch(number) for number in range(72, 1072)]
    picture = drawn(
        [*done, *failed, *running, *idle],
        *(attempt(batch, AttemptOutcome.COMPLETED, start=place) for place, batch in enumerate(done)),
        *(attempt(batch, AttemptOutcome.FAILED, error=samples.OVERLOADED) for batch in failed),
        *(attempt(batch, AttemptOutcome.RUNNING, end=None) for batch in running),
    )

    assert len(picture.lanes) == LANES_MAX
    names = {lane.batch.id for lane in picture.lanes}
    assert {batch.id for batch in [*failed, *running, *done[-13:]]} == names
    assert picture.left_out == (
        "Drawn are 24 batches: those that run, failed or began last. 47 more have been at work. "
        "1,000 batches have not begun."
    )


def test_what_took_no_time_is_seen_all_the_same() -> None:
    one, other = samples.batch(1, BatchState.COMPLETED), samples.batch(2, BatchState.COMPLETED)
    picture = drawn(
        [one, other],
        attempt(one, AttemptOutcome.COMPLETED, start=0, end=100),
        attempt(other, AttemptOutcome.COMPLETED, start=100, end=100),
        state=GenerationState.COMPLETED,
    )
    assert [(bar.x, bar.width) for bar in picture.lanes[1].bars] == [("99.60%", "0.40%")]
